# SPDX-License-Identifier: MIT
import api
import gss
import ike

ALICE = 2001


def rekeyed(lab, client, server):
    done = lambda: ike.swanctl(lab.a, "--rekey", "--child", "t")  # noqa: E731
    event, heard = api.polled(lab, client, api.is_event("rekey"), done)
    lab.expect("a rekey wakes a poller, and names the peer", event and event["peer"] == "fqdn:server.example.org", heard)
    client.value("send", "after the rekey")
    lab.expect("the other end reads its data", server.value("recv") == "after the rekey")


def conflict(lab, client):
    """Blocked in one read for data and events."""
    allow = "src 10.1.0.1 dst 10.1.0.2 proto tcp dir out"
    heard = [api.meanwhile(lab, lambda: client.value("recvmsg"), lambda: lab.a.ip(f"xfrm policy add {allow} priority 1 action allow"))]
    while isinstance(heard[-1], dict) and not (heard[-1]["event"], heard[-1]["state"]) == ("latch-change", "broken") and len(heard) < 9:
        heard.append(client.value("recvmsg"))
    lab.expect("a broken latch wakes who reads data", heard[-1]["event"] == "latch-change" and heard[-1]["state"] == "broken" and heard[-1]["reason"], heard)
    event, heard = api.polled(lab, client, api.is_event("latch-change", state="established"), lambda: lab.a.ip(f"xfrm policy delete {allow}"))
    lab.expect("and that it is restored is heard", event, heard)


def data(lab, client, server):
    heard = [api.meanwhile(lab, lambda: client.value("recvmsg"), lambda: server.value("send", "data"))]
    while isinstance(heard[-1], dict) and len(heard) < 9:
        heard.append(client.value("recvmsg"))
    lab.expect("data comes by the same read", heard[-1] == "data", heard)


def in_parts(lab, client, server):
    """A reader with little room, as one that expects a short header."""
    server.value("send", "0123456789")
    heard = []
    while sum(filter(lambda got: isinstance(got, int), heard)) < 10 and len(heard) < 20:
        heard.append(client.value("recv_some", 4))
    lab.expect("no more octets than asked for", [got for got in heard if isinstance(got, int)] == [4, 4, 2], heard)
    ike.swanctl(lab.a, "--rekey", "--child", "t")
    heard = client.value("recv_some", 4)
    lab.expect("an event comes whole all the same", isinstance(heard, str), heard)


def chosen(lab):
    client, _ = api.peers(lab, port=7001, client=ALICE)
    client.value("subscribe", "latch-change")
    ike.swanctl(lab.a, "--rekey", "--child", "t")
    lab.expect("who wants latches' changes alone hears of no rekey", client.value("poll", 1) == [])


def run(lab):
    gss.brokers(lab)
    client, server = api.peers(lab, client=ALICE)
    lab.need("latched", client.value("latch") == "established")
    client.value("subscribe")
    rekeyed(lab, client, server)
    data(lab, client, server)
    in_parts(lab, client, server)
    chosen(lab)
    conflict(lab, client)
    event, heard = api.polled(lab, client, api.is_event("broker-down"), lab.a.stop_broker)
    lab.expect("the end of the broker is told, last", event and heard[-1] == event, heard)
    api.refused(lab, "and once", client.cmd("poll", 0), "Connection refused", "cannot be reached")
    server.value("send", "data without events")
    lab.expect("data still comes", client.value("recvmsg") == "data without events")
