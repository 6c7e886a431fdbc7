# SPDX-License-Identifier: MIT
import gss
import net
from host import DESTROYS_SOCKETS

MALLORY = 2003


def exported(lab, peer):
    left = peer.cmd("export")
    lab.need("the context is exported", left["major"] == 0 and left["token"], left)
    return left["token"]


def both_ways(lab, name, client, server):
    for qop in (0, 1):
        gss.deliver(lab, f"{name}, to it, QOP {qop}", client, server, f"to {name} {qop}", qop=qop)
        gss.deliver(lab, f"{name}, from it, QOP {qop}", server, client, f"from {name} {qop}", qop=qop)
    mic = server.cmd("mic", gss.text(name))
    verified = client.cmd("verify", gss.text(name), mic["token"])
    lab.expect(f"{name}: its MIC is right and in order", mic["major"] == 0 and verified["major"] == 0, verified)


def arrives(lab, name, client, server, token):
    came = server.cmd("import", token)
    if lab.expect(f"{name}: the context arrives", came["major"] == 0, came):
        both_ways(lab, name, client, server)
        asked = server.cmd("inquire")
        lab.expect(f"{name}: the peer is who it was", asked["source"] == "ipsec:fqdn:client.example.org" and asked["open"] == 1, asked)


def stranger(lab, name, server, uid=None):
    """A process that was handed the server's connection."""
    other = lab.b.peer(uid)
    other.cmd("inbox", name)
    server.cmd("give", name)
    lab.need(f"{name} has the connection", "fd" in other.cmd("take"))
    return other


def refused(lab, name, peer, token, phrase):
    came = peer.cmd("import", token)
    lab.expect(f"{name}: refused, '{phrase}'", came["major"] >= 1 << 16 and gss.says(came, phrase), came)


def by_exec_and_fork(lab):
    client, server = gss.peers(lab, port=7000)
    gss.context(lab, client, server)
    gss.deliver(lab, "before", client, server, "before")
    token = exported(lab, server)
    server.begin_anew()
    arrives(lab, "exec", client, server, token)
    token = exported(lab, server)
    server.cmd("fork")
    arrives(lab, "fork", client, server, token)
    server.cmd("fork")
    both_ways(lab, "fork without export", client, server)
    client.cmd("export")
    gone = client.cmd("wrap", 0, 1, gss.text("more"))
    lab.expect("what was exported wraps nothing more", gone["major"] != 0, gone)


def an_initiator_under_way(lab):
    client, server = gss.peers(lab, port=7005)
    client.cmd("target", "hostbased", "host@server.example.org")
    hello = client.cmd("init", "-", "flags=62")
    client.cmd("fork")
    reply = server.cmd("step", hello["token"])
    confirm = client.cmd("init", reply["token"], "flags=62")
    done = server.cmd("step", confirm["token"])
    lab.expect("a fork between the calls of an exchange: it ends well", confirm["major"] == 0 and done["major"] == 0, (confirm, done))
    client.cmd("fork")
    both_ways(lab, "a fork before the first message", client, server)


def who_may(lab):
    client, server = gss.peers(lab, port=7010)
    gss.context(lab, client, server)
    token = exported(lab, server)
    refused(lab, "another user with the connection", stranger(lab, "mallory", server, MALLORY), token, "exported by another user")
    _, elsewhere = gss.peers(lab, port=7011)
    refused(lab, "another connection to the same peer", elsewhere, token, "another connection than the context was made for")
    refused(lab, "no connection", lab.b.peer(), token, "another connection than the context was made for")
    worker = stranger(lab, "worker", server)
    arrives(lab, "SCM_RIGHTS", client, worker, token)
    refused(lab, "a second time, by the exporter", server, token, "imported before")
    refused(lab, "a second time, by another", stranger(lab, "second", server), token, "imported before")
    both_ways(lab, "after that", client, worker)


def under_way(lab, name, port):
    """The client, a worker that has the server's connection, and the token."""
    client, server = gss.peers(lab, port=port)
    gss.context(lab, client, server)
    return client, stranger(lab, name, server), exported(lab, server)


def while_the_broker_is_restarted(lab):
    _, worker, token = under_way(lab, "patient", 7020)
    lab.b.stop_broker()
    lab.b.broker(net.static_identities(lab.b))
    refused(lab, "the broker was restarted", worker, token, "restarted")


def while_the_latch_is_broken(lab):
    """Where the kernel closes the socket of a broken latch, there is nothing to go on with."""
    client, worker, token = under_way(lab, "late", 7030)
    lab.b.ip("xfrm policy flush")
    refused(lab, "the latch is broken", worker, token, "the socket is not connected" if DESTROYS_SOCKETS else "the latch on this connection is broken")
    net.policies(lab.b)
    if not DESTROYS_SOCKETS:
        arrives(lab, "the same protection is back", client, worker, token)


def run(lab):
    gss.brokers(lab)
    wire = lab.b.capture()
    by_exec_and_fork(lab)
    an_initiator_under_way(lab)
    who_may(lab)
    lab.expect("nothing went in clear", not wire.clear_payload(b"to exec 0") and not wire.clear_payload(b"from SCM_RIGHTS 0"))
    while_the_latch_is_broken(lab)
    while_the_broker_is_restarted(lab)
