# SPDX-License-Identifier: MIT
"""Cables, addresses, manual SAs and policies."""
import socket
import struct

from host import ip

V4 = {"A": "10.1.0.1", "B": "10.1.0.2"}
V6 = {"A": "fd00:1::1", "B": "fd00:1::2"}
PEER = {"A": "B", "B": "A"}
KEYS = {("A", "B"): "0x" + "11" * 32 + "a1a2a3a4", ("B", "A"): "0x" + "22" * 32 + "b1b2b3b4"}
SPI = {("A", "B"): 0x100, ("B", "A"): 0x200}


def name_hosts(addresses):
    """Writes /etc/hosts; a host that `addresses` does not name has its address of the plain cable."""
    places = {"client": V4["A"], "server": V4["B"], **addresses}
    with open("/etc/hosts", "w") as hosts:
        hosts.write("127.0.0.1 localhost\n" + "".join(f"{address} {name}.example.org\n" for name, address in places.items()))


def cable(lab):
    """A and B joined by a veth pair, both families, device eth0 on both."""
    lab.a, lab.b
    ip("link add eth0 netns A type veth peer name eth0 netns B")
    for name in "AB":
        lab.host(name).ip(f"addr add {V4[name]}/24 dev eth0", f"addr add {V6[name]}/64 dev eth0 nodad", "link set eth0 up")


def jumbo(lab):
    """Frames of 9000 octets on the cable between A and B."""
    for name in "AB":
        lab.host(name).ip("link set eth0 mtu 9000")


ROUTED = {"A": "10.1.0.1", "B": "10.2.0.2"}


def routed(lab):
    """A and B on two cables with M between them, which forwards; M's devices are eth0 (to A, 10.1.0.254) and eth1 (to B, 10.2.0.254)."""
    middle = lab.host("M")
    lab.a, lab.b
    ip("link add eth0 netns A type veth peer name eth0 netns M", "link add eth0 netns B type veth peer name eth1 netns M")
    middle.ip("addr add 10.1.0.254/24 dev eth0", "addr add 10.2.0.254/24 dev eth1", "link set eth0 up", "link set eth1 up")
    middle.write("/proc/sys/net/ipv4/ip_forward", "1")
    for name, gateway in (("A", "10.1.0.254"), ("B", "10.2.0.254")):
        lab.host(name).ip(f"addr add {ROUTED[name]}/24 dev eth0", "link set eth0 up", f"route add default via {gateway}")
    name_hosts({"server": ROUTED["B"], "relay": "10.1.0.254"})


def sas(host, addresses=V4, reqid=1, keys=None, spis=None, algorithm="aead rfc4106(gcm(aes)) {key} 128", mode="transport"):
    """The two manual SAs of a pair, on one host."""
    host.ip(*[f"xfrm state add src {addresses[source]} dst {addresses[destination]} proto esp spi {(spis or SPI)[source, destination]:#x} reqid {reqid} "
              f"mode {mode} replay-window 32 " + algorithm.format(key=(keys or KEYS)[source, destination]) for source, destination in (("A", "B"), ("B", "A"))])


def policies(host, addresses=V4, reqid=1, directions=("out", "in"), level="required"):
    """What requires them."""
    own, peer = addresses[host.name], addresses[PEER[host.name]]
    ends = {"out": (own, peer), "in": (peer, own)}
    host.ip(*[f"xfrm policy add src {source} dst {destination} dir {direction} tmpl src {source} dst {destination} proto esp reqid {reqid} "
              f"mode transport level {level}" for direction in directions for source, destination in [ends[direction]]])


def static_identities(host, exclusive=True, addresses=V4, reqid=1):
    """The administrator's line that names the ends of the manual SAs."""
    names = {"A": "client", "B": "server"}
    own, peer = host.name, PEER[host.name]
    return (f'[[static]]\nlocal = "fqdn:{names[own]}.example.org"\nremote = "fqdn:{names[peer]}.example.org"\nlocal-address = "{addresses[own]}"\n'
            f'remote-address = "{addresses[peer]}"\nreqid = {reqid}\nexclusive = {str(exclusive).lower()}\n')


def clear_segment(source, destination, source_port, destination_port, data):
    """Sends one TCP segment past the socket layer; call it inside a host. What no policy covers leaves in clear."""
    header = struct.pack(">HHIIBBHHH", source_port, destination_port, 1, 1, 5 << 4, 0x18, 1024, 0, 0)
    pseudo = socket.inet_aton(source) + socket.inet_aton(destination) + struct.pack(">BBH", 0, 6, len(header) + len(data))
    words = pseudo + header + data + b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(words[at:at + 2], "big") for at in range(0, len(words), 2))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP) as raw:
        raw.sendto(header[:16] + struct.pack(">H", ~total & 0xffff) + header[18:] + data, (destination, 0))


def template_mismatches(host):
    """Packets that came in clear where a policy wanted ESP."""
    lines = host.run(["cat", "/proc/net/xfrm_stat"]).stdout.splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("XfrmInTmplMismatch"))
