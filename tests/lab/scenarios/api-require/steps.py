# SPDX-License-Identifier: MIT
import api
import gss
import ike

ALICE, BOB = 2001, 2002
HERE, SERVER = "10.1.0.2", "fqdn:server.example.org"
LOW, MEDIUM, HIGH, DISABLE = 0x10, 0x20, 0x30, 1
HIGH_IS_CHACHA = '[[level]]\nname = "high"\nsuites = ["CHACHA20_POLY1305-256"]\n'


def ends(lab, port):
    client, server = api.ApiPeer(lab.a, ALICE), api.ApiPeer(lab.b, BOB)
    server.value("listen", HERE, port)
    return client, server, lab.a.capture()


def bypass_of(host, verb, more=""):
    ways = ("out", "in") if host.name == "A" else ("in", "out")
    for way, source, destination in zip(ways, ("10.1.0.1", HERE), (HERE, "10.1.0.1")):
        host.ip(f"xfrm policy {verb} src {source} dst {destination} proto tcp dir {way}{more}")


def bypass(lab, verb, more=""):
    bypass_of(lab.a, verb, more)


def stays_required(lab, ends, port, what):
    """The policies of the SPD are none for this socket any more."""
    client, server, wire = ends
    bypass(lab, "add", " priority 1 action allow")
    client.value("send", what)
    lab.expect(what, server.value("recv") == what)
    lab.expect("in clear it leaves not", not wire.outside_esp(port))
    bypass(lab, "delete")


def on_demand(lab):
    client, server, wire = ends(lab, 7000)
    lab.need("there is no SA yet", not ike.installed_spis(lab.a), ike.state(lab.a))
    lab.expect("connect() makes IKE negotiate, and the peer is who he must be",
               client.value("require_and_connect", HERE, 7000, peer=SERVER, privacy=MEDIUM, btns=DISABLE) == "established")
    server.value("accept")
    client.value("send", "negotiated on demand")
    lab.expect("data comes through", server.value("recv") == "negotiated on demand")
    said = client.value("query")
    lab.expect("secured, latched, enforced, since its start", said["flags"] == api.ALL, said)
    lab.expect("and not a packet of it was in clear", not wire.outside_esp(7000))
    client.value("release")
    stays_required(lab, (client, server, wire), 7000, "what was required stays when the latch is released")


def program_of_its_own(lab):
    """ipsec_require(), and connect() by the program; the policies go between the two."""
    client, server, wire = ends(lab, 7001)
    client.value("require", HERE, 7001)
    bypass(lab, "add", " priority 1 action allow")
    client.value("connect_required", HERE, 7001)
    lab.expect("a bypass that came in between is none for this socket", not wire.outside_esp(7001) and wire.esp_count() > 0)
    bypass(lab, "delete")
    api.refused(lab, "what is connected is too late", client.cmd("require_connected", HERE, 7001), "Transport endpoint is already connected", "connected already")
    client.value("require", HERE, 7001, kind="udp")
    client.value("connect_required", HERE, 7001)
    client.value("send", "a datagram")
    lab.expect("a datagram socket, too", not wire.outside_esp(7001))


def another_broker(lab):
    """The broker that required it is gone when a latch on it is taken back."""
    client, server, wire = ends(lab, 7006)
    client.value("require", HERE, 7006)
    lab.a.stop_broker(kill=True)
    lab.a.broker(ike.broker_config(lab.a) + HIGH_IS_CHACHA)
    client.value("connect_required", HERE, 7006)
    server.value("accept")
    api.refused(lab, "another peer is wanted than is there", client.cmd("latch", peer="fqdn:other.example.org"), "Permission denied", f"found {SERVER}")
    lab.need("latched in its second life", client.value("latch") == "established")
    client.value("release")
    stays_required(lab, (client, server, wire), 7006, "the next broker leaves what the former one set")


def before_listen(lab):
    client, server = api.ApiPeer(lab.a, ALICE), api.ApiPeer(lab.b, BOB)
    server.value("require_and_listen", HERE, 7005, "10.1.0.1")
    client.value("connect", HERE, 7005)
    server.value("accept")
    client.value("send", "under ESP")
    lab.expect("a server that required it before listen() takes what is protected", server.value("recv") == "under ESP")
    for host in (lab.a, lab.b):
        bypass_of(host, "add", " priority 1 action allow")
    late = client.cmd("connect", HERE, 7005, wait=2)
    lab.expect("and no SYN in clear, though the policies let it pass by now", not late["ok"] and "timed out" in late["errno"], late)
    for host in (lab.a, lab.b):
        bypass_of(host, "delete")


def wrong_peer(lab):
    client, server, wire = ends(lab, 7002)
    api.refused(lab, "a peer who is another", client.cmd("require_and_connect", HERE, 7002, peer="fqdn:other.example.org"), "Permission denied", f"found {SERVER}")
    client.value("close")
    server.value("accept")
    lab.expect("gets not an octet", server.value("recv") == "")


def weaker(lab):
    client, server, wire = ends(lab, 7003)
    refused = lambda name, errno, phrase, **wanted: api.refused(lab, name, client.cmd("require_and_connect", HERE, 7003, **wanted), errno, phrase)  # noqa: E731
    refused("a level that the SAs have not", "Permission denied", "wanted level high", privacy=HIGH)
    refused("more bits than they have", "Permission denied", "wanted 512 bits, found 256", key_bits=512)
    refused("less than the policies demand is not for a program", "Operation not permitted", "less than the policies demand", integrity=DISABLE)
    lab.a.ip("xfrm policy add src 10.1.0.1 dst 10.1.0.2 proto tcp dport 7003 dir out priority 1 tmpl proto esp reqid 1 mode transport level use")
    refused("a policy that lets clear text pass", "Permission denied", "level use")
    lab.a.ip("xfrm policy delete src 10.1.0.1 dst 10.1.0.2 proto tcp dport 7003 dir out")
    lab.a.ip("xfrm policy add src 10.1.0.1 dst 10.1.0.2 proto tcp dport 7003 dir out priority 1 action allow")
    refused("a bypass", "Permission denied", "bypass")
    lab.a.ip("xfrm policy delete src 10.1.0.1 dst 10.1.0.2 proto tcp dport 7003 dir out")
    lab.expect("and none of them sent a packet", not wire.outside_esp(7003))
    lab.expect("what there is will do for less", client.value("require_and_connect", HERE, 7003, privacy=LOW) == "established")


def nobody_there(lab):
    """The peer has lost its IPsec: no daemon, no policies, no SAs. It would answer in clear."""
    ike.stop(lab.b, kill=True)
    for what in ("policy", "state"):
        lab.b.ip(f"xfrm {what} flush")
    lab.a.ip("xfrm state flush")
    client, server, wire = ends(lab, 7004)
    api.refused(lab, "a peer without IPsec", client.cmd("require_and_connect", HERE, 7004, peer=SERVER, wait=3), "Connection timed out", "nothing was sent")
    lab.a.ip("xfrm policy flush")
    again = client.cmd("connect_required", HERE, 7004)
    lab.expect("nor when the policies are gone, too", not again["ok"] and "unavailable" in again["errno"], again)
    lab.expect("nothing leaves in clear", not wire.outside_esp(7004))
    client.value("connect", HERE, 7004)
    lab.expect("while a program that requires nothing is in clear by now", wire.outside_esp(7004))


def run(lab):
    gss.brokers(lab, a=HIGH_IS_CHACHA)
    on_demand(lab)
    program_of_its_own(lab)
    another_broker(lab)
    before_listen(lab)
    wrong_peer(lab)
    weaker(lab)
    nobody_there(lab)
