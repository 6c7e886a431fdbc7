# SPDX-License-Identifier: MIT
import api
import gss
import ike
import net
import status
from traffic import Traffic
from watch import Watch

VIRTUAL = "10.9.0.1"  # of A, inside the tunnel
TUNNEL = "mode = tunnel\nstart_action = none\n"


def tunnels(lab):
    """A asks for an address of its own, which B gives it; both know that A may move. Its identity is its certificate's subject."""
    mover = ike.connection(lab.a, "pubkey", local_id=f'"{ike.SUBJECTS["A"]}"', certificate=ike.IDS["A"], extra=f"mobike = yes\nlocal_addrs = %any\nvips = {VIRTUAL}\n", child=TUNNEL + f"remote_ts = {net.V4['B']}/32\n")
    ike.configure(lab.a, mover)
    keeper = ike.connection(lab.b, "pubkey", remote_id=f'"{ike.SUBJECTS["A"]}"', extra="mobike = yes\nremote_addrs = %any\npools = p\n", child=TUNNEL + f"local_ts = {net.V4['B']}/32\n")
    ike.configure(lab.b, keeper, pools=f"p {{\n addrs = {VIRTUAL}/32\n}}\n")
    for host in (lab.b, lab.a):
        host.ip(f"addr del {net.V6[host.name]}/64 dev eth0")  # or IKE moves there
        ike.start(host)
    done = ike.initiate(lab.a)
    lab.need("the tunnel is up", done.returncode == 0, done.stdout + done.stderr)


def moves(lab, old, new):
    lab.a.ip(f"addr del {old}/24 dev eth0", f"addr add {new}/24 dev eth0")
    lab.need(f"{new}: IKE moved the SAs", lab.wait(lambda: all(f"src {new} dst" in ike.state(h) for h in (lab.a, lab.b)), 8), ike.state(lab.b))


def attributes(lab, client, server, when):
    """What the names' attributes say of the other end: its certificate, and that it is met in a tunnel."""
    for name, peer, certificate in (("A", server, {"identity-type": "dn", "identity": ike.SUBJECTS["A"], "certificate-subject": ike.SUBJECTS["A"], "certificate-alternative-name": None}),
                                    ("B", client, {"identity-type": "fqdn", "identity": ike.IDS["B"], "certificate-subject": None,
                                                   "certificate-alternative-name": f"fqdn:{ike.IDS['B']}"})):
        told = peer.cmd("attributes")
        wanted = {**certificate, "mode": "tunnel", "authentication-method": "certificate", "latched": "true", "protected-since-start": "true"}
        lab.expect(f"{when}, {name}'s attributes are its certificate's and the tunnel's", {key: told.get(key) for key in wanted} == wanted, told)


def run(lab):
    tunnels(lab)
    gss.brokers(lab)
    client, server = gss.peers(lab)
    gss.context(lab, client, server)
    said = status.of_peer(lab.b, server)
    lab.expect("A is at its virtual address, which B gave it", said["flow"]["remote"] == VIRTUAL and said["end_to_end"], said)
    attributes(lab, client, server, "before the move")
    wires = [lab.a.capture(), lab.b.capture()]
    watches = [Watch.peer(lab.a, client), Watch.peer(lab.b, server), Watch(lab.a, "--all"), Watch(lab.b, "--all")]
    lab.need("all are subscribed", all(w.began for w in watches))
    spis = ike.installed_spis(lab.a)
    ends = api.peers(lab, port=7001)
    for end in ends:
        lab.need("the API's end is latched", end.value("latch") == "established")
        end.value("subscribe")
    with Traffic(client, server, patience=20) as traffic:
        lab.wait(lambda: traffic.count > 5 or traffic.failures, 10)
        told = api.polled_both(lab, ends, api.is_event("locator-change"), lambda: moves(lab, net.V4["A"], "10.1.0.7"))
        count = traffic.count
        lab.wait(lambda: traffic.count > count + 20 or traffic.failures, 20)
    lab.expect(f"{traffic.count} messages both ways, before and after", traffic.count > count + 20 and not traffic.failures, traffic.failures)
    lab.expect("the SAs are the same", ike.installed_spis(lab.a) == spis, ike.state(lab.a))
    attributes(lab, client, server, "after it")
    for name, host, peer in (("A", lab.a, client), ("B", lab.b, server)):
        lab.expect(f"{name}: latched", lab.wait(lambda: status.of_peer(host, peer)["latch"] == "established", 5), status.of_peer(host, peer))
    for name, watch in zip(("A's socket", "B's socket", "A's namespace", "B's namespace"), watches):
        lab.expect(f"{name} hears of the move", watch.hears("migrated"), watch.lines())
        lab.expect(f"{name} hears of no break", not watch.lines("latch-broken"), watch.lines())
    for end, (event, heard) in zip(ends, told):
        lab.expect(f"{end.host.name}: the move wakes a program blocked in poll", event, heard)
        lab.expect(f"{end.host.name}: and its latch is whole", end.value("latched") == "established" and not [e for e in heard if e["state"] == "broken"], heard)
    for wire in wires:  # what came through a tunnel shows once more, in clear, where it came: what leaves is what is on the cable
        lab.expect("nothing leaves in clear", not [p for p in wire.outside_esp(7000) if p.leaves])
        lab.expect("ESP leaves", [p for p in wire.packets() if p.leaves and p.spi in spis])
    lab.expect("A's from its old address and from its new one", len({p.source for p in wires[0].packets() if p.leaves and p.spi in spis}) == 2)
