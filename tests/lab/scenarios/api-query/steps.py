# SPDX-License-Identifier: MIT
import api
import gss

ALICE = 2001
CERTIFICATE = 0x0307


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
    api.refused(lab, "one of another network namespace", api.ApiPeer(lab.a).cmd("foreign", "B"), "Invalid cross-device link", "another network namespace")
    lab.expect("loopback is not protected, and it says why", "loopback" in client.value("query_other", "loopback"))


def unprotected(lab, client):
    lab.a.ip("xfrm policy flush")
    said = lab.wait(lambda: (lambda s: s if not s["secured"] else None)(client.value("query")), 3)
    lab.expect("without a policy nothing is said but why", said and said["flags"] == 0 and "no IPsec policy" in said["reason"], said)
    api.refused(lab, "nobody is named", client.cmd("peer"), "Permission denied", "no IPsec policy")


def run(lab):
    gss.brokers(lab)
    client, server = api.peers(lab, client=ALICE)
    lab.expect("broker, policies and identity are there", client.value("version") == {"version": 1, "capabilities": client.value("version")["capabilities"]} and
               client.value("version")["capabilities"] & 7 == 7, client.value("version"))
    protected(lab, client, server)
    identities(lab, client, server)
    others(lab, client)
    unprotected(lab, client)
    lab.a.stop_broker()
    api.refused(lab, "without a broker", client.cmd("query"), "Connection refused", "cannot be reached")
    lab.expect("no capability is left", client.value("version")["capabilities"] == 0)
