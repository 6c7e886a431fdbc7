# SPDX-License-Identifier: MIT
import api
import gss
import ike

ALICE, BOB = 2001, 2002
CLIENT, SERVER = "fqdn:client.example.org", "fqdn:server.example.org"
ADDRESS = {"client": "10.1.0.1", "server": "10.1.0.2"}
CERTIFICATE = 0x0307


def bypass(lab, verb, more=""):
    """Of the datagrams to port 7051, at both ends."""
    for host, way in ((lab.a, "out"), (lab.b, "in")):
        host.ip(f"xfrm policy {verb} src 10.1.0.1 dst 10.1.0.2 proto udp dport 7051 dir {way}{more}")


def foreseen(lab):
    """Before there is an SA, and after."""
    asker = api.ApiPeer(lab.a, ALICE)
    said = asker.value("probe", "10.1.0.2", 7000)
    lab.expect("what demands IPsec and has no SA would be negotiated, with whom is not known yet",
               said["prospect"] == "negotiated" and said["flags"] == 0 and not said["peer"] and not said["outer"], said)
    lab.expect("asking negotiates nothing", not ike.installed_spis(lab.a), ike.state(lab.a))
    said = asker.value("probe", "10.1.0.9", 7000)
    lab.expect("elsewhere nothing would protect", said["prospect"] == "none" and said["flags"] == 0, said)
    api.peers(lab, port=7049)
    said = asker.value("probe", "10.1.0.2", 7000)
    lab.expect("with SAs the strength and the peer are foreseen, and nothing of the past",
               said["prospect"] == "protected" and said["flags"] == api.ALL & ~(api.LATCHED | api.ENFORCED | api.SINCE_START), said)
    lab.expect("the peer by his certificate", said["peer"] == {"name": SERVER, "authenticated": 1, "alt_name": SERVER}, said)
    lab.expect("and where the packets would go", said["outer"] == [["10.1.0.1", 0], ["10.1.0.2", 0]], said)
    lab.a.ip("xfrm policy add src 10.1.0.1 dst 10.1.0.2 proto tcp dport 7001 dir out priority 1 action block")
    lab.expect("what is blocked is told", asker.value("probe", "10.1.0.2", 7001)["prospect"] == "blocked")
    lab.a.ip("xfrm policy delete src 10.1.0.1 dst 10.1.0.2 proto tcp dport 7001 dir out")


def datagrams(lab):
    sender, one, all_of_them = api.ApiPeer(lab.a, ALICE), api.ApiPeer(lab.b, BOB), api.ApiPeer(lab.b, BOB)
    one.value("bind_datagrams", "10.1.0.2", 7050, info=False)
    all_of_them.value("bind_datagrams", "0.0.0.0", 7051)
    sender.value("bind_datagrams", "10.1.0.1", 7052, info=False)
    for receiver, port in ((one, 7050), (all_of_them, 7051)):
        sender.value("send_to", f"to {port}", "10.1.0.2", port)
        said = receiver.value("datagram")
        lab.expect(f"a datagram to {port}: secured since the socket is there, and from whom",
                   said["text"] == f"to {port}" and said["flags"] == api.ALL & ~(api.LATCHED | api.ENFORCED) and said["peer"]["name"] == CLIENT and
                   said["peer"]["authenticated"], said)
        lab.expect("its ends", said["inner"] == [["10.1.0.2", port], ["10.1.0.1", 7052]], said)
    wire = lab.b.capture()
    bypass(lab, "add", " priority 1 action allow")
    sender.value("send_to", "in clear", "10.1.0.2", 7051)
    lab.need("it went in clear", lab.wait(lambda: wire.clear_payload(b"in clear"), 3))
    bypass(lab, "delete")
    said = all_of_them.value("datagram")
    lab.expect("a datagram that came in clear, asked about when the policies are back: nobody is named",
               said["text"] == "in clear" and said["flags"] == 0 and "since it began" in said["why"] and not said["peer"]["authenticated"], said)
    sender.value("send_to", "protected again", "10.1.0.2", 7051)
    lab.expect("nor of a later one on that socket", all_of_them.value("datagram")["flags"] == 0)
    one.value("send_to", "back", "10.1.0.1", 7052)
    lab.expect("another socket is none the worse", sender.value("datagram")["flags"] & api.SECURED)


def protected(lab, client, server):
    for end, local, remote in ((client, "client", "server"), (server, "server", "client")):
        where = end.host.name
        said = end.value("query")
        lab.expect(f"{where}: secured, encrypted, end to end, by an authenticated peer; not latched",
                   said["flags"] == api.ALL & ~(api.LATCHED | api.ENFORCED) and said["why"] == 0 and said["latch"] == "none", said)
        lab.expect(f"{where}: transport mode, 256 bits, a certificate", (said["mode"], said["key_bits"], said["method"]) == ("transport", 256, CERTIFICATE), said)
        lab.expect(f"{where}: the peer's name", end.value("peer") == f"fqdn:{remote}.example.org")
        token = end.value("protection")
        lab.expect(f"{where}: both ends are named and proven", [(e["name"], e["authenticated"], e["method"]) for e in token["ends"]] ==
                   [(f"fqdn:{name}.example.org", 1, CERTIFICATE) for name in (local, remote)], token)
        lab.expect(f"{where}: no NAT, no compression, both ends", (token["nat_traversal"], token["compression"], token["outer"][0][0], token["inner"][1][0]) ==
                   (1, 1, ADDRESS[local], ADDRESS[remote]), token)
        lab.expect(f"{where}: the daemon's name of the connection", token["policy_name"] == "c", token)
        lab.expect(f"{where}: a line for the log, without SPIs", f"secured: transport mode" in token["audit"] and "0x" not in token["audit"], token["audit"])
        lab.expect(f"{where}: asked again it is the same protection", end.value("protection")["as_kept"])


def identities(lab, client, server):
    kept = client.value("export")
    lab.expect("a kept identity is this peer's", client.value("is_peer", kept))
    lab.expect("and not the other end's", not server.value("is_peer", kept))


def others(lab, client):
    api.refused(lab, "a Unix socket", client.cmd("query_other", "unix"), "Socket operation on non-socket", "not a connected internet socket")
    api.refused(lab, "an unconnected one", client.cmd("query_other", "unconnected"), "Transport endpoint is not connected", "not connected")
    said = api.ApiPeer(lab.a).value("foreign", "B")
    lab.expect("of another network namespace nothing is said or done", len(said) == 10 and set(said.values()) == {"Invalid cross-device link"}, said)
    lab.expect("loopback is not protected, and it says why", "loopback" in client.value("query_other", "loopback"))


def unprotected(lab, client):
    lab.a.ip("xfrm policy flush")
    said = lab.wait(lambda: (lambda s: s if not s["secured"] else None)(client.value("query")), 3)
    lab.expect("without a policy nothing is said but why", said and said["flags"] == 0 and "no IPsec policy" in said["reason"], said)
    api.refused(lab, "nobody is named", client.cmd("peer"), "Permission denied", "no IPsec policy")


def run(lab):
    gss.brokers(lab)
    foreseen(lab)
    datagrams(lab)
    client, server = api.peers(lab, client=ALICE)
    lab.expect("broker, policies and identity are there", client.value("version") == {"version": 1, "capabilities": client.value("version")["capabilities"]} and
               client.value("version")["capabilities"] == 15, client.value("version"))
    protected(lab, client, server)
    identities(lab, client, server)
    others(lab, client)
    unprotected(lab, client)
    lab.a.stop_broker()
    api.refused(lab, "without a broker", client.cmd("query"), "Connection refused", "cannot be reached")
    lab.expect("no capability is left", client.value("version")["capabilities"] == 0)
