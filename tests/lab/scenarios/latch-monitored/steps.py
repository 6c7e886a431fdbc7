# SPDX-License-Identifier: MIT
import os
import subprocess

import net
import status

UML = os.environ.get("LAB_KERNEL") == "uml"
KEY = "0x" + "55" * 32 + "e1e2e3e4"
ESP = "tmpl src {s} dst {d} proto esp reqid {n} mode transport"
TUNNEL = "tmpl src {s} dst {d} proto esp reqid {n} mode tunnel"
COMPRESSING = "tmpl src {s} dst {d} proto comp reqid {n} mode transport level use " + ESP
# reqid, address of A, address of B
COMPRESSED, MARKED, ROUTED, INTERFACE = (5, "10.1.0.1", "10.1.0.5"), (6, "10.1.0.1", "10.1.0.6"), (7, "10.3.0.1", "10.3.0.2"), (8, "10.1.0.1", "10.1.0.8")


def identity(number, own, there):
    return (f'[[static]]\nlocal = "fqdn:client.example.org"\nremote = "fqdn:server.example.org"\nlocal-address = "{own}"\nremote-address = "{there}"\n'
            f"reqid = {number}\nexclusive = true\n")


def protect(host, pair, template=ESP, there="", back="", comp=False, sa=""):
    """SAs and policies between the two addresses; there, back: more words for those from A to B, and from B to A; sa: for both SAs."""
    number, a, b = pair
    own = a if host.name == "A" else b
    mode = template.split(" mode ")[-1]
    for source, destination, spi, more in ((a, b, 0x1000 + number, there), (b, a, 0x2000 + number, back)):
        if comp:
            host.ip(f"xfrm state add src {source} dst {destination} proto comp spi {spi:#x} reqid {number} mode transport comp deflate")
        host.ip(f"xfrm state add src {source} dst {destination} proto esp spi {spi:#x} reqid {number} mode {mode} replay-window 32 {more} {sa} "
                f"aead rfc4106(gcm(aes)) {KEY} 128")
        direction = "out" if source == own else "in"
        host.ip(f"xfrm policy add src {source} dst {destination} dir {direction} {more} {template.format(s=source, d=destination, n=number)}")


def socket_policies(host):
    """What the kernel shows of sockets' policies, without saying of which."""
    return subprocess.run(["ip", "-n", host.name, "xfrm", "policy"], capture_output=True, text=True).stdout.count("socket ")


def connect(lab, name, pair, port, there=(), both=()):
    client, server = lab.a.peer(), lab.b.peer()
    lab.need(f"{name}: a server", "errno" not in server.cmd("listen", pair[2], port, *both))
    lab.need(f"{name}: connected", "fd" in client.cmd("connect", pair[2], port, "wait=8", *there, *both) and "fd" in server.cmd("accept"))
    return client


def monitored(lab, name, client, why):
    before = socket_policies(lab.a)
    answer = client.cmd("latch")
    lab.expect(f"{name}: watched only, because '{why}'", answer.get("state") == "monitored" and why in answer["monitored_why"] and not answer["shut"], answer)
    lab.expect(f"{name}: the socket is left alone", socket_policies(lab.a) == before, (before, socket_policies(lab.a)))
    lab.expect(f"{name}: status says monitored", status.of_peer(lab.a, client)["latch"] == "monitored", status.of_peer(lab.a, client))
    return client


def compression(lab):
    lab.b.ip(f"addr add {COMPRESSED[2]}/24 dev eth0")
    for host in (lab.a, lab.b):
        protect(host, COMPRESSED, template=COMPRESSING, comp=True)
    return monitored(lab, "compression", connect(lab, "compression", COMPRESSED, 7000), "compresses")


def marks(lab):
    lab.b.ip(f"addr add {MARKED[2]}/24 dev eth0")
    protect(lab.a, MARKED, there="mark 5 mask 0xff")
    protect(lab.b, MARKED)
    monitored(lab, "a mark", connect(lab, "a mark", MARKED, 7001, there=("mark=5",)), "mark")


def routed(lab):
    subprocess.run(["ip", "link", "add", "eth1", "netns", "A", "type", "veth", "peer", "name", "eth1", "netns", "B"], check=True)
    for host, address in ((lab.a, ROUTED[1]), (lab.b, ROUTED[2])):
        host.ip("link add red type vrf table 10", "link set red up", "link set eth1 master red", f"addr add {address}/24 dev eth1", "link set eth1 up")
    client = connect(lab, "VRF", ROUTED, 7009, both=("dev=red",))  # in clear: what becomes of packets on two devices is not the point
    for host in (lab.a, lab.b):
        protect(host, ROUTED)
    monitored(lab, "VRF", client, "VRF")


def interface(lab):
    """A sends through an xfrm interface, B without one. What ESP has made of it has a mark, which leads past the interface."""
    lab.a.ip("link add ipsec0 type xfrm dev eth0 if_id 8", "link set ipsec0 up", f"route add {INTERFACE[2]}/32 dev ipsec0 src {INTERFACE[1]}",
             f"route add {INTERFACE[2]}/32 dev eth0 table 8", "rule add fwmark 8 lookup 8")
    lab.b.ip(f"addr add {INTERFACE[2]}/24 dev eth0")
    protect(lab.a, INTERFACE, template=TUNNEL, there="if_id 8", back="if_id 8", sa="output-mark 8")
    lab.a.ip(f"xfrm policy add src {INTERFACE[2]} dst {INTERFACE[1]} dir in action block priority 9999")  # for what comes from beside the interface
    protect(lab.b, INTERFACE, template=TUNNEL)
    monitored(lab, "xfrm interface", connect(lab, "xfrm interface", INTERFACE, 7002), "xfrm interface")


def multipath(lab):
    client, server = lab.a.peer(), lab.b.peer()
    lab.need("an MPTCP connection", "errno" not in server.cmd("listen", net.V4["B"], 7003, "proto=mptcp") and
             "fd" in client.cmd("connect", net.V4["B"], 7003, "proto=mptcp") and "fd" in server.cmd("accept"))
    answer = client.cmd("latch")
    lab.expect("MPTCP is refused", answer["name"] == "UNSUPPORTED_SOCKET", answer)


def run(lab):
    lab.a.broker(net.static_identities(lab.a) + "".join(identity(*pair) for pair in (COMPRESSED, MARKED, ROUTED, INTERFACE)))
    wire = lab.a.capture()
    compressed = compression(lab)
    marks(lab)
    routed(lab)
    if not UML:  # has no xfrm interfaces and no MPTCP
        interface(lab)
        multipath(lab)
    lab.expect("nothing was in clear", not any(wire.outside_esp(port) for port in range(7000, 7004)))
    lab.a.ip("xfrm policy flush")
    lab.expect("what is watched breaks, too", lab.wait(lambda: compressed.cmd("latched")["state"] == "broken", 3), compressed.cmd("latched"))
