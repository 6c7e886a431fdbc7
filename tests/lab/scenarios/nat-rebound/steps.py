# SPDX-License-Identifier: MIT
import re

import api
import gss
import ike
import net
import status
from nat import OUTSIDE, Nat
from traffic import Traffic
from watch import Watch

VIRTUAL = "10.9.0.1"  # of A, inside the tunnel
TUNNEL = "mode = tunnel\nstart_action = none\n"
SERVER = net.ROUTED["B"]


def tunnels(lab):
    """A asks for an address of its own inside the tunnel."""
    ike.configure(lab.a, ike.connection(lab.a, "pubkey", family=net.ROUTED, extra=f"vips = {VIRTUAL}\n",
                                        child=TUNNEL + f"remote_ts = {SERVER}/32\n"))
    ike.configure(lab.b, ike.connection(lab.b, "pubkey", family={"A": "%any", "B": SERVER}, extra="pools = p\n", child=TUNNEL + f"local_ts = {SERVER}/32\n"),
                  pools=f"p {{\n addrs = {VIRTUAL}/32\n}}\n")
    for host in (lab.b, lab.a):
        ike.start(host)
    done = ike.initiate(lab.a)
    lab.need("the tunnel is up through the NAT", done.returncode == 0, done.stdout + done.stderr)


def encapsulated_ports(host):
    """The peer's ports of the SAs whose packets go in UDP."""
    return set(re.findall(rf"src {OUTSIDE} dst {SERVER}\n.*?encap type espinudp sport (\d+) dport 4500", ike.state(host), re.S))


def outer_ends(lab, nat, said):
    lab.expect("B's token: who is inside, and from which port of the NAT it comes",
               said["nat_traversal"] == 2 and said["inner"][1][0] == VIRTUAL and said["outer"] == [[SERVER, 4500], [OUTSIDE, nat.ports()[4500]]], said)


def run(lab):
    with Nat(lab) as nat:
        tunnels(lab)
        gss.brokers(lab)
        client, server = gss.peers(lab, address=SERVER)
        gss.context(lab, client, server)
        said = status.of_peer(lab.b, server)
        lab.expect("A is at its virtual address, protected end to end", said["flow"]["remote"] == VIRTUAL and said["end_to_end"], said)
        lab.expect("its packets come to B in UDP from the NAT's port", encapsulated_ports(lab.b) == {str(nat.ports()[4500])}, ike.state(lab.b))
        wires = [lab.a.capture(), lab.b.capture()]
        watches = [Watch.peer(lab.b, server), Watch(lab.b, "--all"), Watch.peer(lab.a, client)]
        lab.need("all are subscribed", all(w.began for w in watches))
        asker = api.peers(lab, port=7001, address=SERVER)[1]
        outer_ends(lab, nat, asker.value("protection"))
        asker.value("subscribe")
        event, heard = api.polled(lab, asker, api.is_event("nat-mapping"), lambda: rebound(lab, nat, client, server))
        lab.expect("the new mapping wakes a program of B's that is blocked in poll", event, heard)
        said = asker.value("protection")
        outer_ends(lab, nat, said)
        lab.expect("and it is the same protection for that", said["as_kept"])
        for name, host, peer in (("A", lab.a, client), ("B", lab.b, server)):
            lab.expect(f"{name}: latched", lab.wait(lambda: status.of_peer(host, peer)["latch"] == "established", 5), status.of_peer(host, peer))
        for name, watch in zip(("B's socket", "B's namespace"), watches):
            lab.expect(f"{name} hears of the new mapping", watch.hears("nat-mapping"), watch.lines())
        for watch in watches:
            lab.expect("nobody hears of a break", not watch.lines("latch-broken"), watch.lines())
        for wire in wires:
            lab.expect("nothing leaves in clear", not [p for p in wire.outside_esp(7000) if p.leaves])


def rebound(lab, nat, client, server):
    spis = ike.installed_spis(lab.a)
    with Traffic(client, server, patience=20) as traffic:
        lab.wait(lambda: traffic.count > 5 or traffic.failures, 10)
        nat.rebind()
        lab.need("B's SAs follow the NAT's new port", lab.wait(lambda: encapsulated_ports(lab.b) == {str(nat.ports()[4500])}, 10), ike.state(lab.b))
        count = traffic.count
        lab.wait(lambda: traffic.count > count + 20 or traffic.failures, 20)
    lab.expect(f"{traffic.count} messages both ways, before and after", traffic.count > count + 20 and not traffic.failures, traffic.failures)
    lab.expect("the SAs are the same", ike.installed_spis(lab.a) == spis, ike.state(lab.a))
