# SPDX-License-Identifier: MIT
import subprocess

import gss

# How many there are, and how many contexts are being made at once. Under a sanitizer in an emulated processor more would wait longer for
# their broker than the two seconds that a library does.
THREADS, AT_ONCE = 500, 4
EMULATED, EMULATED_AT_ONCE = 20, 1


def storm(host, role, *numbers):
    """Small stacks: the lab's machines have little room for so many. ThreadSanitizer finds no room in 512 KiB."""
    words = f"ulimit -s 2048; exec /run/bin/thread_storm {role} 10.1.0.2 7000 {' '.join(map(str, numbers))}"
    return host.popen(["/bin/sh", "-c", words], env={"GSS_IPSEC_TRACE": f"{host.directory}/trace.0"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(lab, process, name, threads):
    out, complaints = process.communicate(timeout=180 * lab.job["slow"])
    lab.expect(f"{name}: each thread had its own peer and messages", out.split("\n")[-2:] == [f"{threads} of {threads}", ""] and process.returncode == 0,
               (process.returncode, out[-300:], complaints[:600], len(complaints.splitlines())))


def run(lab):
    threads, at_once = (THREADS, AT_ONCE) if lab.job["slow"] <= 2 else (EMULATED, EMULATED_AT_ONCE)
    gss.brokers(lab)
    wire = lab.b.capture()
    server = storm(lab.b, "server", threads, at_once)
    lab.need("the server listens", server.stdout.readline() == "listening\n")
    client = storm(lab.a, "client", threads, at_once)
    ended(lab, client, "client", threads)
    ended(lab, server, "server", threads)
    lab.expect("all of it went as ESP", wire.esp_count() > threads and not wire.outside_esp(7000))
    for host in (lab.a, lab.b):
        made = host.metric("latches_broken_total")
        lab.expect(f"{host.name}: no latch broke", made == 0, made)
