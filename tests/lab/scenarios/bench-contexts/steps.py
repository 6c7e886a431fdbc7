# SPDX-License-Identifier: MIT
import json

import gss
import krb5

PROGRAM = "/run/bin/lab_contexts"


def run(lab):
    lab.b.kdc(users=["alice"], services=[(lab.b, "host/server.example.org")])
    gss.brokers(lab)
    wire = lab.a.capture()
    lab.b.popen([PROGRAM, "accept"], log="bench-acceptor.log")
    lab.need("the acceptor is ready", lab.wait(lambda: lab.b.log("bench-acceptor.log"), 10))
    lab.need("alice has a ticket", krb5.ticket(lab.a, "alice").returncode == 0)
    gss.peers(lab)  # the first packet makes IKE negotiate
    results = f"{lab.a.directory}/bench.json"
    done = lab.a.run([PROGRAM, *lab.job["arguments"], f"--benchmark_out={results}", "--benchmark_out_format=json"], timeout=200)
    lab.need("the benchmarks run", done.returncode == 0, done.stdout + done.stderr + lab.b.log("bench-acceptor.log"))
    with open(results) as file:
        found = json.load(file)
    failed = [entry["name"] + ": " + entry.get("error_message", "") for entry in found["benchmarks"] if entry.get("error_occurred")]
    lab.expect("each of them works", not failed and found["benchmarks"], failed)
    lab.expect("over ESP", wire.esp_spis() and not any(wire.clear_segments(port) for port in (4567, 4568)))
    lab.report("result", result=found)
