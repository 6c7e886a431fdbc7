# SPDX-License-Identifier: MIT
import api
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
    ends = {end.host: end for end in api.peers(lab, port=7002)}
    with Traffic(client, server) as traffic:
        for host in (lab.a, lab.b, lab.a):
            killed(lab, ends[host])
            lab.expect(f"rekeyed while {host.name} has no broker", Vici(lab.a).command("rekey", child="t"))
            seen = traffic.count
            lab.expect("messages go on meanwhile", lab.wait(lambda: traffic.count > seen + 4 or traffic.failures, 25), traffic.count - seen)
            host.broker(ike.broker_config(host))
            lab.wait(lambda: False, 0.3)
        anew(lab, ends[lab.a])
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


def killed(lab, end):
    end.value("subscribe")
    event, heard = api.polled(lab, end, api.is_event("broker-down"), lambda: end.host.stop_broker(kill=True))
    lab.expect(f"the broker's end wakes a program of {end.host.name} that is blocked in poll, and nothing comes after", event and heard[-1] == event, heard)
    api.refused(lab, "its subscription has ended", end.cmd("poll", 0), "Connection refused", "cannot be reached")


def anew(lab, end):
    end.value("subscribe")
    event, heard = api.polled(lab, end, api.is_event("rekey"), lambda: Vici(lab.a).command("rekey", child="t"))
    lab.expect("who subscribes anew hears from the new broker", event, heard)


def latched(lab, *peers):
    return all(status.of_peer(host, peer).get("latch") == "established" for host, peer in zip((lab.a, lab.b), peers))
