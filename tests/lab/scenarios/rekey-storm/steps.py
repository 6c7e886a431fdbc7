# SPDX-License-Identifier: MIT
import time

import gss
import ike
import status
from traffic import Traffic
from vici import Vici

STORM = 3  # seconds


def storm(lab, commands):
    """Both daemons are told again and again; how often they did it."""
    daemons, done, end = [Vici(host) for host in (lab.a, lab.b)], 0, time.monotonic() + STORM
    while time.monotonic() < end:
        for daemon in daemons:
            for words in commands:
                done += daemon.command("rekey", **words)
                time.sleep(0.1 * lab.job["slow"])  # more than a slow kernel's daemons can do ends in SAs and policies given up
    return done


def weathered(lab, name, client, server, wires, commands):
    before = ike.installed_spis(lab.a)
    with Traffic(client, server) as traffic:
        done = storm(lab, commands)
        lab.wait(lambda: traffic.count > 20 or traffic.failures, 15)
    lab.expect(f"{name}: {done} commands, {traffic.count} messages, {traffic.sealed} sealed: all arrive", not traffic.failures and traffic.count > 20, traffic.failures)
    lab.expect(f"{name}: there are other SAs", ike.installed_spis(lab.a) - before)  # collisions leave some of the former for a while
    for wire in wires:
        lab.expect(f"{name}: no clear segment", not wire.clear_segments(7000, bare=True))
    for host, peer in ((lab.a, client), (lab.b, server)):
        said = lab.wait(lambda: (lambda s: s if s.get("latch") == "established" else None)(status.of_peer(host, peer)), 5)
        lab.expect(f"{name}: the latch of {host.name} is intact", said, status.of_peer(host, peer))
    # What the storm has left (collisions are cleared up for seconds) makes latches stale for moments.
    ends = ((lab.a, client), (lab.b, server))
    lab.wait(lambda: all(status.of_peer(host, peer).get("latch") == "established" for _ in range(4) for host, peer in ends), 10)
    gss.deliver(lab, f"{name}: at last by the channel", client, server, "after the storm")


def run(lab):
    gss.brokers(lab)
    client, server = gss.peers(lab)
    gss.context(lab, client, server)
    wires = [lab.a.capture(), lab.b.capture()]
    weathered(lab, "CHILD_SAs", client, server, wires, [{"child": "t"}])
    weathered(lab, "IKE_SAs too", client, server, wires, [{"ike": "c"}, {"child": "t"}])
    lab.expect("authentication anew", Vici(lab.a).command("rekey", ike="c", reauth="yes"))
    weathered(lab, "authenticated anew", client, server, wires, [{"child": "t"}])
