# SPDX-License-Identifier: MIT
import api
import gss
from host import DESTROYS_SOCKETS

ALICE, BOB = 2001, 2002
DROP, RESET, NOTIFY = 0, 1, 2


def wanted(lab, client):
    api.refused(lab, "another peer than wanted", client.cmd("latch", peer="fqdn:other.example.org"), "Permission denied", "found fqdn:server.example.org")
    api.refused(lab, "more bits than there are", client.cmd("latch", key_bits=512), "Permission denied", "wanted 512 bits, found 256")
    lab.expect("what is wanted is there: ESTABLISHED", client.value("latch", peer="fqdn:server.example.org", privacy=2, integrity=2, replay=2, key_bits=256) == "established")
    said = client.value("query")
    lab.expect("the query says that the kernel enforces it", said["flags"] == api.ALL and said["latch"] == "established", said)
    lab.expect("it drops when it breaks", client.cmd("break_policy", DROP)["ok"])
    lab.expect("it resets where the kernel does", client.cmd("break_policy", RESET)["ok"] == DESTROYS_SOCKETS)
    api.refused(lab, "and never goes on", client.cmd("break_policy", NOTIFY), "Operation not supported", "broken latch always stops")


def found(lab, client):
    client.value("forget")
    lab.expect("the latch outlives its handle and is found", client.value("find") == "established")
    client.value("release", "found")
    lab.expect("released it is gone", client.value("query")["latch"] == "none", client.value("query"))
    api.refused(lab, "and found no more", client.cmd("find"), "No such file or directory", "knows no latch")


def breaks(lab, client, server):
    lab.need("latched again", client.value("latch") == "established")
    wire = lab.a.capture()
    client.value("send", "before")
    lab.expect("it carries data", server.value("recv") == "before")
    lab.a.ip("xfrm policy flush")
    lab.a.ip("xfrm policy add src 10.1.0.1 dst 10.1.0.2 proto tcp dir out priority 1 action allow",
             "xfrm policy add src 10.1.0.2 dst 10.1.0.1 proto tcp dir in priority 1 action allow")
    lab.expect("a conflicting policy breaks it: BROKEN", lab.wait(lambda: client.value("latched") == "broken", 3), client.value("latched"))
    client.cmd("send", "clear text after the break")
    server.cmd("recv", 1)
    lab.expect("no clear octet leaves", not wire.clear_payload(b"clear text after the break"))
    if DESTROYS_SOCKETS:
        api.refused(lab, "there is no connection to ask about", client.cmd("query"), "Transport endpoint is not connected", "the socket is not connected")
    else:
        lab.expect("the query does not call it secured or latched", client.value("query")["flags"] == 0, client.value("query"))
    client.value("close")
    lab.expect("the socket closed: CLOSED", client.value("latched") == "closed")


def listeners(lab):
    server, client = api.ApiPeer(lab.b, BOB), api.ApiPeer(lab.a, ALICE)
    server.value("listen", "10.1.0.2", 7100)
    lab.expect("a listener is latched to its peer's SAs: LISTENER", server.value("latch", "listener", "10.1.0.1") == "listener")
    client.value("connect", "10.1.0.2", 7100)
    server.value("accept")
    client.value("send", "to the child")
    lab.expect("its child takes what is protected", server.value("recv") == "to the child")
    said = server.value("query")
    lab.expect("and has been since its SYN", said["flags"] & api.SINCE_START and said["flags"] & api.SECURED, said)
    lab.expect("the child is latched for itself", server.value("latch", peer="fqdn:client.example.org") == "established")
    server.value("forget", "listener")
    lab.expect("the listener's latch is found", server.value("find", "listener") == "listener")
    said = server.value("inquire", "found")
    lab.expect("and inquired: whom it waits for, and how strong", said["state"] == "listener" and said["peer"]["name"] == "fqdn:client.example.org" and
               said["flags"] & api.SECURED and not said["flags"] & api.SINCE_START, said)
    server.value("release", "found")
    api.refused(lab, "released it is found no more", server.cmd("find", "listener"), "No such file or directory", "no latch")


def run(lab):
    gss.brokers(lab)
    listeners(lab)
    client, server = api.peers(lab, client=ALICE)
    wanted(lab, client)
    found(lab, client)
    breaks(lab, client, server)
