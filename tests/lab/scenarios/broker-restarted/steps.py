# SPDX-License-Identifier: MIT
import gss
import ike
import status
from traffic import Traffic
from vici import Vici


def run(lab):
    gss.brokers(lab)
    client, server = gss.peers(lab)
    gss.context(lab, client, server)
    wires = [lab.a.capture(), lab.b.capture()]
    with Traffic(client, server) as traffic:
        for host in (lab.a, lab.b, lab.a):
            host.stop_broker(kill=True)
            lab.expect(f"rekeyed while {host.name} has no broker", Vici(lab.a).command("rekey", child="t"))
            seen = traffic.count
            lab.expect("messages go on meanwhile", lab.wait(lambda: traffic.count > seen + 4 or traffic.failures, 25), traffic.count - seen)
            host.broker(ike.broker_config(host))
            lab.wait(lambda: False, 0.3)
        lab.wait(lambda: latched(lab, client, server), 12)
    lab.expect(f"{traffic.count} messages, {traffic.sealed} sealed: all arrive", not traffic.failures, traffic.failures)
    for host, peer in ((lab.a, client), (lab.b, server)):
        said = status.of_peer(host, peer)
        lab.expect(f"the new broker of {host.name} has verified the latch", said.get("latch") == "established", said)
        lab.expect("but does not vouch for what it did not see", not said.get("since_start"), said)
    for wire in wires:
        lab.expect("no clear segment", not wire.clear_segments(7000, bare=True))
    gss.deliver(lab, "in the end", client, server, "by the channel")
    later = gss.peers(lab, port=7001)
    gss.context(lab, *later)
    gss.deliver(lab, "a later context", *later, "later")


def latched(lab, *peers):
    return all(status.of_peer(host, peer).get("latch") == "established" for host, peer in zip((lab.a, lab.b), peers))
