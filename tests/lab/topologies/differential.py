# SPDX-License-Identifier: MIT
"""Two hosts on three cables with several addresses each and fixed neighbours, so that nothing but what is sent is on them: no ARP, no
neighbour discovery, no routers asked for. Each cable can carry everything; the third one ends in a VRF of A's, where A has all its addresses
once more. C is for packets that tell when those between A and B have come to their end; its lo obeys policies."""
import subprocess

MACS = {host: tuple(f"02:00:00:00:00:{host.lower()}{number}" for number in range(3)) for host in "AB"}
OF_A = (("10.1.0.1", "10.1.0.3", "fd00:1::1", "fd00:1::3"), ("10.2.0.1", "fd00:2::1"))
ADDRESSES = {"A": (*OF_A, OF_A[0] + OF_A[1]), "B": (("10.1.0.2", "10.1.0.4", "fd00:1::2", "fd00:1::4"), ("10.2.0.2", "fd00:2::2"), ())}
NETS = (("10.1.0.0/24", "fd00:1::/64"), ("10.2.0.0/24", "fd00:2::/64"))


def device(host, peer, number):
    name = f"eth{number}"
    yield f"link set {name} address {MACS[host][number]} addrgenmode none"
    yield f"link set {name} up"
    for address in ADDRESSES[host][number]:
        yield f"addr add {address}/{64 if ':' in address else 24} dev {name}" + (" nodad" if ":" in address else "")
    for address in ADDRESSES[peer][0] + ADDRESSES[peer][1]:
        yield f"neigh add {address} lladdr {MACS[peer][number]} nud permanent dev {name}"


def routes(number):
    """To where the device has no address."""
    for own in (0, 1):
        if own != number:
            yield from (f"route add {net} dev eth{number} metric {5000 + number}" for net in NETS[own])


def lines(host, peer):
    if host == "A":
        yield from ("link add vrf0 type vrf table 10", "link set vrf0 up", "link set eth2 master vrf0")
    for number in range(3):
        yield from device(host, peer, number)
    for number in (0, 1) if host == "A" else (0, 1, 2):
        yield from routes(number)


def up(lab):
    lab.a, lab.b
    for option in ("disable_xfrm", "disable_policy"):
        lab.host("C").write(f"/proc/sys/net/ipv4/conf/lo/{option}", "0")
    for name in ("eth0", "eth1", "eth2"):
        subprocess.run(["ip", "link", "add", name, "netns", "A", "type", "veth", "peer", "name", name, "netns", "B"], check=True)
    for host, peer in (("A", "B"), ("B", "A")):
        subprocess.run(["ip", "-n", host, "-batch", "-"], input="\n".join(lines(host, peer)) + "\n", text=True, check=True)
