# SPDX-License-Identifier: MIT
import json

import gss
import kerberos
import krb5

PROGRAM = "/run/bin/lab_contexts"
TRACE = "/tmp/trace-acceptor"


def run(lab):
    lab.b.kdc(users=["alice"], services=[(lab.b, "host/server.example.org")])
    line = kerberos.program("bind", PROGRAM)
    gss.brokers(lab, a=line, b=line)
    wire = lab.a.capture()
    lab.b.popen([PROGRAM, "accept"], log="bench-acceptor.log", env={**kerberos.interposed(lab.b), "GSS_IPSEC_TRACE": TRACE})
    lab.need("the acceptor is ready", lab.wait(lambda: lab.b.log("bench-acceptor.log"), 10))
    lab.need("alice has a ticket", krb5.ticket(lab.a, "alice").returncode == 0)
    gss.peers(lab)  # the first packet makes IKE negotiate
    results = f"{lab.a.directory}/bench.json"
    done = lab.a.run([PROGRAM, *lab.job["arguments"], f"--benchmark_out={results}", "--benchmark_out_format=json"], timeout=200, env=kerberos.interposed(lab.a))
    lab.need("the benchmarks run", done.returncode == 0, done.stdout + done.stderr + lab.b.log("bench-acceptor.log"))
    with open(results) as file:
        found = json.load(file)
    failed = [entry["name"] + ": " + entry.get("error_message", "") for entry in found["benchmarks"] if entry.get("error_occurred")]
    lab.expect("each of them works", not failed and found["benchmarks"], failed)
    lab.expect("over ESP", wire.esp_spis() and not any(wire.clear_segments(port) for port in (4567, 4568, 4569)))
    with open(TRACE) as trace:
        lab.expect("Kerberos' contexts with the interposer are bound to the channel", "bound to the channel" in trace.read())
    lab.report("result", result=found)
