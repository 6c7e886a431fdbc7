# SPDX-License-Identifier: MIT
import api
import gss
import ike
from watch import Watch

ALICE = 2001
# Soft limit after some packets: the kernel says so, charon rekeys.
CHILD = "rekey_packets = 60\nlife_packets = 100000\nrand_packets = 0\n"


def configure(host, server="server.example.org"):
    """`server`: who B says it is, and whom A wants. Who does not answer is soon given up, but not before a slow kernel can."""
    local, remote = (None, server) if host.name == "A" else (server, None)
    ike.configure(host, ike.connection(host, "pubkey", local_id=local, remote_id=remote, extra="dpd_delay = 1s", child=CHILD), local_id=local)
    with open(f"{host.directory}/strongswan.conf", "a") as file:
        file.write(f"charon-systemd {{\n retransmit_timeout = {0.5 * host.lab.job['slow']}\n retransmit_base = 1\n retransmit_tries = 6\n}}\n")


def same_life(lab, watches):
    """What the socket's holder and root hear of a rekey that packets bring about."""
    hers, mine, everything = watches
    soft = hers.hears("expiring")
    lab.expect("the soft end of an SA reaches the socket's holder", soft and soft["descriptor"] >= 0 and soft["peer"] == "fqdn:server.example.org", hers.lines())
    rekeyed = hers.hears("rekeyed")
    lab.expect("then the rekey", rekeyed and rekeyed["time"] > soft["time"] and rekeyed["flow"]["remote"] == "10.1.0.2", hers.lines())
    lab.expect("without SPIs, which are root's", soft and rekeyed and soft["sas"] == rekeyed["sas"] == [], (soft, rekeyed))
    lab.expect("root hears the same with them", mine.hears("rekeyed") and mine.hears("rekeyed")["sas"] and mine.hears("expiring")["sas"], mine.lines())
    lab.expect("and of the namespace", everything.hears("expiring") and everything.hears("rekeyed", peer="fqdn:server.example.org"), everything.lines())


def conflict(lab, watches):
    hers, mine, everything = watches
    lab.a.ip("xfrm policy add src 10.1.0.1 dst 10.1.0.2 proto tcp dir out priority 1 action allow")
    for name, watch in (("the holder", hers), ("root", mine), ("the namespace", everything)):
        broken = watch.hears("latch-broken")
        lab.expect(f"{name} hears that the latch broke, and why", broken and broken["why"]["code"] == "GSS_IPSEC_E_LATCH_BROKEN" and broken["flow"], watch.lines())
    lab.expect("protection is gone", hers.hears("protection") and hers.hears("protection")["why"], hers.lines())
    lab.a.ip("xfrm policy delete src 10.1.0.1 dst 10.1.0.2 proto tcp dir out")
    for name, watch in (("the holder", hers), ("root", mine), ("the namespace", everything)):
        lab.expect(f"{name} hears that it is restored", watch.hears("latch-restored"), watch.lines())
    lab.expect("protection is back", hers.hears("protection", why=None), hers.lines())


def another_identity(lab, watches):
    """The peer authenticates again, as somebody else whom A takes now."""
    hers, mine, everything = watches
    broken = len(hers.lines("latch-broken"))
    ike.swanctl(lab.a, "--terminate", "--ike", "c")
    for host in (lab.b, lab.a):
        configure(host, server="relay.example.org")
        ike.load(host)
    done = ike.initiate(lab.a)
    lab.need("the other one authenticates", done.returncode == 0, done.stdout + done.stderr)
    for name, watch in (("the holder", hers), ("root", mine)):
        changed = watch.hears("identity-changed", peer="fqdn:relay.example.org")
        lab.expect(f"{name} hears who the peer is now", changed and changed["descriptor"] >= 0, watch.lines())
    lab.expect("and that the latch broke", lab.wait(lambda: len(hers.lines("latch-broken")) > broken, 3), hers.lines())
    lab.expect("root hears so of the namespace", lab.wait(lambda: len(everything.lines("latch-broken")) > 1, 3), everything.lines())


def packets(client, server):
    for number in range(60):
        client.cmd("send", gss.text(f"packet {number}"))
        server.cmd("recv")


def blocked(lab, asker, name, change, before=frozenset(), seconds=5, **facts):
    """What wakes a program that asked the sockets-layer API."""
    event, heard = api.polled(lab, asker, api.is_event(name, **facts), change, seconds)
    lab.expect(f"{', '.join([*before, name])}: a program of hers, blocked in poll, is woken", event and before <= {e["event"] for e in heard}, heard)


def run(lab):
    for host in (lab.a, lab.b):
        configure(host)
        ike.start(host)
    done = ike.initiate(lab.a)
    lab.need("the SAs are up", done.returncode == 0, done.stdout + done.stderr)
    gss.brokers(lab)
    client, server = gss.peers(lab, client=ALICE)
    gss.context(lab, client, server)
    watches = [Watch.peer(lab.a, client, uid=ALICE), Watch.peer(lab.a, client), Watch(lab.a, "--all")]
    lab.need("all three are subscribed", all(w.began for w in watches), [w.host.log(w.name) for w in watches])
    lab.expect("at its beginning the socket is protected", watches[0].began[0]["protected"], watches[0].began)
    asker, _ = api.peers(lab, port=7001, client=ALICE)
    asker.value("subscribe")
    blocked(lab, asker, "rekey", lambda: packets(client, server), {"soft-expire"})
    same_life(lab, watches)
    conflict(lab, watches)
    blocked(lab, asker, "identity-change", lambda: another_identity(lab, watches), peer="fqdn:relay.example.org")
    blocked(lab, asker, "peer-dead", lambda: ike.stop(lab.b, kill=True), peer="fqdn:relay.example.org", seconds=8)
    for name, watch in (("the holder", watches[0]), ("the namespace", watches[2])):
        dead = watch.hears("peer-dead", seconds=8)
        lab.expect(f"{name} hears that the peer is dead", dead and dead["peer"] == "fqdn:relay.example.org", watch.lines())
    lab.expect("an interrupt ends them well", [w.end() for w in watches] == [0, 0, 0])
