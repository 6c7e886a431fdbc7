# SPDX-License-Identifier: MIT
"""Cables, addresses, manual SAs and policies."""
from host import ip

V4 = {"A": "10.1.0.1", "B": "10.1.0.2"}
V6 = {"A": "fd00:1::1", "B": "fd00:1::2"}
PEER = {"A": "B", "B": "A"}
KEYS = {("A", "B"): "0x" + "11" * 32 + "a1a2a3a4", ("B", "A"): "0x" + "22" * 32 + "b1b2b3b4"}
SPI = {("A", "B"): 0x100, ("B", "A"): 0x200}


def cable(lab):
    """A and B joined by a veth pair, both families, device eth0 on both."""
    lab.a, lab.b
    ip("link add eth0 netns A type veth peer name eth0 netns B")
    for name in "AB":
        lab.host(name).ip(f"addr add {V4[name]}/24 dev eth0", f"addr add {V6[name]}/64 dev eth0 nodad", "link set eth0 up")


def sas(host, addresses=V4, reqid=1, keys=None, spis=None, algorithm="aead rfc4106(gcm(aes)) {key} 128", mode="transport"):
    """The two manual SAs of a pair, on one host."""
    for source, destination in (("A", "B"), ("B", "A")):
        key = (keys or KEYS)[source, destination]
        host.ip(f"xfrm state add src {addresses[source]} dst {addresses[destination]} proto esp spi {(spis or SPI)[source, destination]:#x} reqid {reqid} "
                f"mode {mode} replay-window 32 " + algorithm.format(key=key))


def policies(host, addresses=V4, reqid=1, directions=("out", "in"), level="required"):
    """What requires them."""
    own, peer = addresses[host.name], addresses[PEER[host.name]]
    for direction in directions:
        source, destination = (own, peer) if direction == "out" else (peer, own)
        host.ip(f"xfrm policy add src {source} dst {destination} dir {direction} tmpl src {source} dst {destination} proto esp reqid {reqid} "
                f"mode transport level {level}")


def static_identities(host, exclusive=True, addresses=V4, reqid=1):
    """The administrator's line that names the ends of the manual SAs."""
    names = {"A": "client", "B": "server"}
    own, peer = host.name, PEER[host.name]
    return (f'[[static]]\nlocal = "fqdn:{names[own]}.example.org"\nremote = "fqdn:{names[peer]}.example.org"\nlocal-address = "{addresses[own]}"\n'
            f'remote-address = "{addresses[peer]}"\nreqid = {reqid}\nexclusive = {str(exclusive).lower()}\n')
