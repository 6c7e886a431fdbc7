# SPDX-License-Identifier: MIT
import subprocess

import gss

# Threads, contexts in the making at a time, and messages under way. Under a sanitizer in an emulated processor more would wait longer for
# their broker than the two seconds that a library does. All 500 take minutes there: --argument 500, last time emulated.log.
HERE = 500, 4, 500
EMULATED = 20, 1, 4


def storm(host, role, *numbers):
    """Small stacks: the lab's machines have little room for so many. ThreadSanitizer finds no room in 512 KiB."""
    words = f"ulimit -s 2048; exec /run/bin/thread_storm {role} 10.1.0.2 7000 {' '.join(map(str, numbers))}"
    return host.popen(["/bin/sh", "-c", words], env={"GSS_IPSEC_TRACE": f"{host.directory}/trace.0"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(lab, process, name, threads):
    out, complaints = process.communicate(timeout=180 * lab.job["slow"])
    lab.expect(f"{name}: each thread had its own peer and messages", out.split("\n")[-2:] == [f"{threads} of {threads}", ""] and process.returncode == 0,
               (process.returncode, out[-300:], complaints[:600], len(complaints.splitlines())))


def run(lab):
    threads, *at_once = HERE if lab.job["slow"] <= 2 else EMULATED
    threads = int(lab.job["arguments"][0]) if lab.job["arguments"] else threads
    gss.brokers(lab)
    wire = lab.b.capture()
    server = storm(lab.b, "server", threads, *at_once)
    lab.need("the server listens", server.stdout.readline() == "listening\n")
    client = storm(lab.a, "client", threads, *at_once)
    ended(lab, client, "client", threads)
    ended(lab, server, "server", threads)
    lab.expect("all of it went as ESP", wire.esp_count() > threads and not wire.outside_esp(7000))
    for host in (lab.a, lab.b):
        made = host.metric("latches_broken_total")
        lab.expect(f"{host.name}: no latch broke", made == 0, made)
