# SPDX-License-Identifier: MIT
"""Two hosts on two cables with several addresses each and fixed neighbours, so that nothing but what is sent is on them: no ARP, no
neighbour discovery, no routers asked for. Either cable can carry everything. C is for packets that
tell when those between A and B have come to their end; its lo obeys policies."""
import subprocess

MACS = {"A": ("02:00:00:00:00:a0", "02:00:00:00:00:a1"), "B": ("02:00:00:00:00:b0", "02:00:00:00:00:b1")}
ADDRESSES = {"A": (("10.1.0.1", "10.1.0.3", "fd00:1::1", "fd00:1::3"), ("10.2.0.1", "fd00:2::1")),
             "B": (("10.1.0.2", "10.1.0.4", "fd00:1::2", "fd00:1::4"), ("10.2.0.2", "fd00:2::2"))}
NETS = (("10.1.0.0/24", "fd00:1::/64"), ("10.2.0.0/24", "fd00:2::/64"))


def lines(host, peer):
    for number in (0, 1):
        device = f"eth{number}"
        yield f"link set {device} address {MACS[host][number]} addrgenmode none"
        yield f"link set {device} up"
        for address in ADDRESSES[host][number]:
            yield f"addr add {address}/{64 if ':' in address else 24} dev {device}" + (" nodad" if ":" in address else "")
    for number in (0, 1):
        for net in NETS[1 - number]:
            yield f"route add {net} dev eth{number} metric 5000"
        for address in ADDRESSES[peer][0] + ADDRESSES[peer][1]:
            yield f"neigh add {address} lladdr {MACS[peer][number]} nud permanent dev eth{number}"


def up(lab):
    lab.a, lab.b
    for option in ("disable_xfrm", "disable_policy"):
        lab.host("C").write(f"/proc/sys/net/ipv4/conf/lo/{option}", "0")
    for device in ("eth0", "eth1"):
        subprocess.run(["ip", "link", "add", device, "netns", "A", "type", "veth", "peer", "name", device, "netns", "B"], check=True)
    for host, peer in (("A", "B"), ("B", "A")):
        subprocess.run(["ip", "-n", host, "-batch", "-"], input="\n".join(lines(host, peer)) + "\n", text=True, check=True)
