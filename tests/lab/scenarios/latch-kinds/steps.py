# SPDX-License-Identifier: MIT
import gss
import net
from peer import connected

A, B = net.V4["A"], net.V4["B"]
ELSEWHERE = "10.1.0.3"  # of B, in nobody's policy


def mapped(lab):
    """AF_INET6 sockets, IPv4 on the wire: the policy of the socket has the wire's family."""
    client, server = lab.a.peer(), lab.b.peer()
    connected(lab, client, server, address="::ffff:" + B, port=7000)
    gss.context(lab, client, server)
    return client, server


def sctp(lab):
    """The kernel routes SCTP without looking at the socket's policy: it would be no wall."""
    client, server = lab.a.peer(), lab.b.peer()
    lab.need("an SCTP server", "errno" not in server.cmd("listen", B, 7001, "proto=sctp"))
    lab.need("an SCTP association", "fd" in client.cmd("connect", B, 7001, "proto=sctp") and "fd" in server.cmd("accept"))
    for end in (client, server):
        lab.expect("SCTP is watched only", end.cmd("latch")["state"] == "monitored")
    client.cmd("target", "hostbased", "host@server.example.org")
    for named in (True, False):
        acquired = client.cmd("cred", "initiate", *(["socket=current"] if named else []))
        made = client.cmd("init", "-", "flags=62")
        lab.expect(f"no context on SCTP, {'named' if named else 'found'}", acquired["major"] == 0 and made["major"] >= 1 << 16 and not made["token"] and gss.says(made, "policies of SCTP sockets"),
                   (acquired, made))
    return client


def udp(lab):
    client, server = lab.a.peer(), lab.b.peer()
    lab.need("connected UDP", "fd" in server.cmd("connect", A, 7102, "port=7002", "proto=udp") and "fd" in client.cmd("connect", B, 7002, "port=7102", "proto=udp"))
    for end, use in ((client, "initiate"), (server, "accept")):
        lab.need(f"UDP: the socket is named to {use}", end.cmd("cred", use, "socket=current")["major"] == 0)
    gss.context(lab, client, server)
    return client, server


def open_udp(lab):
    user, root = lab.a.peer(2001), lab.a.peer()
    for end, port in ((user, 7003), (root, 7004)):
        lab.need("an unconnected UDP socket", "errno" not in end.cmd("listen", A, port, "proto=udp"))
    lab.expect("unconnected UDP is not a user's", user.cmd("latch", f"peer={B}")["name"] == "NOT_ALLOWED")
    lab.expect("but root's", root.cmd("latch", f"peer={B}")["state"] == "listener")
    return root


def reconnects(lab, client, wire):
    """connect(AF_UNSPEC) keeps the socket, its cookie and its policy."""
    server = lab.b.peer()
    lab.need("a server nobody protects", "errno" not in server.cmd("listen", ELSEWHERE, 7005))
    answer = client.cmd("reconnect", ELSEWHERE, 7005)
    client.cmd("send", gss.text("octets for elsewhere"))
    lab.expect("connected elsewhere: nothing of it in clear", not wire.outside_esp(7005) and not wire.clear_payload(b"octets for elsewhere"), answer)


def run(lab):
    gss.brokers(lab)
    lab.b.ip(f"addr add {ELSEWHERE}/24 dev eth0")
    association = sctp(lab)
    ends = {"v4-mapped": mapped(lab), "UDP": udp(lab)}
    root, (reconnected, _) = open_udp(lab), gss.peers(lab, port=7006, wait=2)
    lab.need("one more is latched", reconnected.cmd("latch")["state"] == "established")
    reader = lab.b.peer()
    lab.need("somebody reads it", "errno" not in reader.cmd("listen", "0.0.0.0", 7008, "proto=udp"))
    wires = [lab.a.capture(), lab.b.capture()]
    for host in (lab.a, lab.b):
        host.ip("xfrm policy flush")
    for name, (client, server) in ends.items():
        for sender, receiver, way in ((client, server, "there"), (server, client, "back")):
            text = f"{name} past the library {way}"
            sender.cmd("send", gss.text(text))
            lab.expect(f"{name}: it goes {way} over ESP", receiver.cmd("recv").get("data") == gss.text(text))
        lab.expect(f"{name}: the latch is broken", lab.wait(lambda: client.cmd("wrap", 0, 1, gss.text("x"))["major"] != 0, 3))
    lab.expect("SCTP: broken when the policies are gone", lab.wait(lambda: association.cmd("latched")["state"] == "broken", 3))
    root.cmd("sendto", ELSEWHERE, 7008, gss.text("unconnected past the library"))
    root.cmd("sendto", B, 7008, gss.text("unconnected past the library"))
    lab.expect("unconnected UDP: to the peer over ESP", reader.cmd("recv").get("data") == gss.text("unconnected past the library"))
    reconnects(lab, reconnected, wires[0])
    for wire in wires:
        lab.expect("nothing in clear of any latched socket", not any(wire.outside_esp(port) for port in range(7000, 7010) if port != 7001), [p.ports for p in wire.packets() if p.ports])
        lab.expect("no payload in clear", not wire.clear_payload(b"past the library"))
