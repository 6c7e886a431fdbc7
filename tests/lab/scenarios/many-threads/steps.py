# SPDX-License-Identifier: MIT
import subprocess

import gss

THREADS = 500


def storm(host, role):
    """Small stacks: the lab's machines have little room for so many."""
    words = f"ulimit -s 512; exec /run/bin/thread_storm {role} 10.1.0.2 7000 {THREADS}"
    return host.popen(["/bin/sh", "-c", words], env={"GSS_IPSEC_TRACE": f"{host.directory}/trace.0"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(lab, process, name):
    out, complaints = process.communicate(timeout=180 * lab.job["slow"])
    lab.expect(f"{name}: each thread had its own peer and messages", out.split("\n")[-2] == f"{THREADS} of {THREADS}" and process.returncode == 0,
               (out[-300:], complaints[:600], len(complaints.splitlines())))


def run(lab):
    gss.brokers(lab)
    wire = lab.b.capture()
    server = storm(lab.b, "server")
    lab.need("the server listens", server.stdout.readline() == "listening\n")
    client = storm(lab.a, "client")
    ended(lab, client, "client")
    ended(lab, server, "server")
    lab.expect("all of it went as ESP", wire.esp_count() > THREADS and not wire.outside_esp(7000))
    for host in (lab.a, lab.b):
        made = host.metric("latches_broken_total")
        lab.expect(f"{host.name}: no latch broke", made == 0, made)
