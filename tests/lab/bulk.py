# SPDX-License-Identifier: MIT
"""Transfers by real programs without a layer of their own, with Kerberos', with Kerberos over the channel, and with one that only copies (bare_layer.cc), in
turn, in one boot: seconds, seconds of processor, how much of what Kerberos' layer costs is saved, and how much of it could be by any mechanism."""
import os
import resource
import statistics
import time

import gss
import kerberos
import krb5
from compatibility import ran
from servers import postgres, slapd
from servers.daemon import must

COPIED, SEARCHED = 20_000_000, 50_000_000
SAME = "the same comes back"
PROGRAMS = (f"{postgres.BIN}/psql", f"{postgres.BIN}/postgres", "/usr/bin/ldapsearch", "/usr/sbin/slapd")
LAYERS = ("none", "krb5", "interposed", "bare")
MECHANISM = {"none": "none", "krb5": "krb5", "interposed": "krb5", "bare": "krb5"}
FOLLOWS = {"LD_PRELOAD": "/run/bin/bare_layer.so"}
BEGINS = {**FOLLOWS, "BARE_LAYER": "1"}


def manner(layer):
    return {"interposed": ", over the channel", "bare": ", messages only copied"}.get(layer, "")


def of_children(pid):
    """Seconds of processor of a process and its children that have ended."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(") ", 1)[1].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def of_ours():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Transfers:
    """One kind of transfer, measured by each layer in turn. `transfer(layer)` brings `octets` from the server that `daemon` is."""

    def __init__(self, name, octets, daemon, transfer):
        self.name, self.octets, self.daemon, self.transfer = name, octets, daemon, transfer
        self.seconds = {layer: [] for layer in LAYERS}
        self.processor = {layer: [] for layer in LAYERS}

    def measure(self, times):
        for turn in range(times):
            for layer in LAYERS[turn % len(LAYERS):] + LAYERS[:turn % len(LAYERS)]:
                time.sleep(0.2)  # a server's process that served the last one may take its time to end
                client, server, begun = of_ours(), of_children(self.daemon.pid), time.monotonic()
                self.transfer(layer)
                self.seconds[layer].append(time.monotonic() - begun)
                time.sleep(0.2)
                self.processor[layer].append((of_ours() - client, of_children(self.daemon.pid) - server))

    def results(self):
        """As Google Benchmark writes them."""
        for layer in LAYERS:
            client, server = (statistics.median(used[i] for used in self.processor[layer]) * 1e9 / self.octets for i in (0, 1))
            for seconds in self.seconds[layer]:
                yield {"name": f"{self.name}/{layer}", "run_name": f"{self.name}/{layer}", "run_type": "iteration", "real_time": seconds, "time_unit": "s",
                       "client_cpu_s_per_gb": round(client, 2), "server_cpu_s_per_gb": round(server, 2)}

    def saved_by(self, layer):
        """The part of what Kerberos' layer costs."""
        none, krb5_alone, this = (statistics.median(self.seconds[name]) for name in ("none", "krb5", layer))
        return round((krb5_alone - this) / (krb5_alone - none), 3)


def copies(lab, ends, times):
    daemon = postgres.start(lab.b, {**ends.server, **FOLLOWS}, more=postgres.IN_CLEAR)
    modes = {"none": ("disable", ends.client), "krb5": ("require", {}), "interposed": ("require", ends.client), "bare": ("require", BEGINS)}
    stream = postgres.Stream(1, COPIED)
    postgres.fill(lab.a, stream, ends.client)
    for layer, (mode, env) in modes.items():
        digest, octets = postgres.digest_of_bulk(lab.a, env, mode)
        ran(lab, postgres.PROGRAM, postgres.PACKAGES, MECHANISM[layer], f"COPY of 20 MB, gssencmode={mode}{manner(layer)}", SAME,
            digest == stream.digest.hexdigest() and octets > 0.95 * COPIED, f"{octets} octets came back")
    lab.expect("PostgreSQL and psql rest on the channel", ends.switched() == [True, True], ends)

    def transfer(layer):
        mode, env = modes[layer]
        must(postgres.psql(lab.a, "copy bulk to stdout", env, mode, more=("-o", "/dev/null")))
    transfers = Transfers("pg_copy_out", COPIED, daemon, transfer)
    transfers.measure(times)
    return transfers


def searches(lab, ends, times):
    entries, lines = slapd.photos(SEARCHED)
    daemon = slapd.start(lab.b, {**ends.server, **FOLLOWS}, entries=entries)
    layers = {"none": ("maxssf=0", ends.client), "krb5": ("minssf=256", {}), "interposed": ("minssf=256", ends.client), "bare": ("minssf=256", BEGINS)}
    for layer, (wanted, env) in layers.items():
        back = slapd.fetch_photos(lab.a, env, more=("-O", wanted))
        ran(lab, slapd.PROGRAM, slapd.PACKAGES, "krb5", f"50 MB of pictures, {wanted}{manner(layer)}", SAME,
            back == lines, f"{len(lines)} went, {len(back)} came back")
    lab.expect("slapd and ldapsearch rest on the channel", ends.switched() == [True, True], ends)
    transfers = Transfers("ldapsearch", SEARCHED, daemon, lambda layer: slapd.drop_photos(lab.a, layers[layer][1], ("-O", layers[layer][0])))
    transfers.measure(times)
    return transfers


def run(lab, cipher):
    """`cipher`: what ip(8) says of the SAs."""
    lines = "".join(kerberos.program("skip", path) for path in PROGRAMS)
    gss.brokers(lab, a=lines, b=lines)
    krb5.realm(lab)
    state = lab.a.run(["ip", "xfrm", "state"]).stdout
    lab.expect(f"ESP is {cipher}", cipher in state, state)
    wire = lab.a.run(["ip", "-s", "link", "show", "eth0"]).stdout
    lab.expect("in frames of 9000 octets", "mtu 9000" in wire, wire)
    times = int(lab.job["arguments"][0]) if lab.job["arguments"] else 1
    every = [copies(lab, kerberos.Ends(lab, True, True), times), searches(lab, kerberos.Ends(lab, True, True), times)]
    lab.report("result", result={"benchmarks": [entry for each in every for entry in each.results()],
                                 **{part: {each.name: each.saved_by(layer) for each in every} for part, layer in (("recovered", "interposed"), ("recoverable", "bare"))}})
