# SPDX-License-Identifier: MIT
"""A behind a NAT, B before it (tests/lab/nat.py is the NAT). M is its inner side, where B's address is, too; N its outer side. No IPsec."""
import nat
import net
from host import ip


def up(lab):
    inner, outer = lab.host("M"), lab.host("N")
    lab.a, lab.b
    ip("link add eth0 netns A type veth peer name eth0 netns M", "link add eth0 netns B type veth peer name eth0 netns N")
    for host, address in ((lab.a, net.ROUTED["A"]), (inner, nat.INSIDE), (lab.b, net.ROUTED["B"]), (outer, nat.OUTSIDE)):
        host.ip(f"addr add {address}/24 dev eth0", "link set eth0 up")
    inner.ip(f"addr add {net.ROUTED['B']}/32 dev lo")
    lab.a.ip(f"route add default via {nat.INSIDE}")
    net.name_hosts({"server": net.ROUTED["B"]})
