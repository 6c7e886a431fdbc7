# SPDX-License-Identifier: MIT
"""Faults come from tests/support/lossy_netlink.cc, which stands between the real broker and the kernel."""
import contextlib
import json
import os
import socket
import struct

import net
from watch import Watch

FLOW = ["tcp", "10.1.0.1:40000", "10.1.0.2:7000"]
ROOM = 128 * 1024  # for the monitor: ten thousand changes do not fit
NETLINK_XFRM, DELPOLICY, FLUSHPOLICY, NEWSA = 6, 0x14, 0x1d, 0x10

# what the broker meets while a change is made that only this message tells
CASES = (("a lost message", "lose 1"), ("one that vanishes without a word", "swallow 1"), ("a truncated one", "truncate 1"),
         ("one that ends inside", "cut 1"), ("an overrun told by message", "overrun 1"), ("a dump interrupted, twice", "lose 1\ninterrupt 2"),
         ("a dump that loses messages", "lose 1\ndump-lose 1"), ("a dump that is truncated", "lose 1\ndump-truncate 1"))


class Broken:
    """A broker whose netlink meets what is ordered."""

    def __init__(self, lab):
        self.lab, self.host, self.orders = lab, lab.a, f"{lab.a.directory}/orders"
        self.order("")
        env = {"LD_PRELOAD": "/run/bin/lossy_netlink.so", "LOSSY_NETLINK": self.orders, "LOSSY_NETLINK_ROOM": str(ROOM)}
        self.host.broker(net.static_identities(self.host), env=env)

    def order(self, text):
        with open(self.orders, "w") as file:
            file.write(text)

    def carried_out(self):
        return os.path.getsize(self.orders) == 0

    def ask(self, *words):
        return json.loads(self.host.run(["/run/bin/ipsec-gss", *words, "--json"]).stdout)

    def protected(self):
        """What it says of a connection between the two: true, false, or the reason for not knowing."""
        said = self.ask("status", "--flow", *FLOW)["sockets"][0]
        return said["protected"] or said["why_not"]["code"].removeprefix("GSS_IPSEC_E_")

    def same(self):
        said = self.ask("mirror")
        return said if said.get("same") else None

    def figure(self, name):
        return self.host.metric(name)

    def expect_same(self, what):
        same = self.lab.wait(self.same, 5, 0.2)
        return self.lab.expect(f"{what}: the copy is what the kernel has", same, same or self.ask("mirror"))


def lose_a_policy(lab, broker, what, orders):
    """The message that says that clear text leaves from now on does not arrive as it should."""
    broker.order(orders)
    lab.a.ip("xfrm policy delete src 10.1.0.1 dst 10.1.0.2 dir out")
    seen = [broker.protected()]
    if "swallow" not in orders:  # who was told of a loss does not say "protected" on what he had before
        lab.expect(f"{what}: not called protected meanwhile", True not in seen, seen)
    lab.expect(f"{what}: happened", lab.wait(broker.carried_out, 5), orders)
    broker.expect_same(what)
    after = broker.protected()
    lab.expect(f"{what}: what nobody told of counts", after in ("ONE_DIRECTION", "NO_POLICY"), after)
    net.policies(lab.a, directions=("out",))
    lab.expect(f"{what}: and protected again with it", lab.wait(lambda: broker.protected() is True, 3), broker.protected())


def every_message_lost(lab, broker):
    """Something changes all the time and no message of it arrives, so that the copy is behind most of the time."""
    broker.order("lose 1000000")
    asked = broker.figure("kernel_asked_total")
    other = "src 10.9.0.1 dst 10.9.0.2 dir out"
    changes = lab.a.popen(["/bin/sh", "-c", f"while ip xfrm policy update {other} action block; do sleep 0.03; done"])
    said = [broker.protected() for _ in range(10)]
    lab.expect("every message is lost: the answer is the kernel's", said == [True] * 10, said)
    lab.a.ip("xfrm policy delete src 10.1.0.1 dst 10.1.0.2 dir out")
    said = [broker.protected() for _ in range(5)]
    lab.expect("also when it is another one", set(said) <= {"ONE_DIRECTION", "NO_POLICY"}, said)
    lab.expect("the kernel itself was asked", broker.figure("kernel_asked_total") > asked, asked)
    changes.kill()
    changes.wait()
    broker.order("")
    lab.a.ip(f"xfrm policy delete {other}")
    net.policies(lab.a, directions=("out",))
    broker.expect_same("every message lost for a while")


def storm(lab, broker):
    for what in (("add", 0, 4000), ("update", 0, 3000), ("delete", 1000, 3000)):
        done = lab.a.run(["/run/bin/sa_storm", *map(str, what)])
        lab.need(f"{what[2]} SAs: {what[0]}", done.returncode == 0, done.stderr)


def ten_thousand(lab, broker):
    lost, watch = broker.figure("mirror_lost_total"), Watch(lab.a, "--all")
    lab.need("somebody listens", watch.began)
    storm(lab, broker)
    broker.expect_same("ten thousand changes of SAs in one burst")
    lab.expect("and they did not fit", lab.wait(lambda: broker.figure("mirror_lost_total") > lost, 5), lost)
    told = watch.hears("lost")
    lab.expect("who listens is told that events are missing", told and told["why"]["code"] == "GSS_IPSEC_E_NETLINK_LOST", watch.kinds()[-5:])
    lab.expect("the two ends are protected as before", broker.protected() is True, broker.protected())


def links_of(pid):
    """What its descriptors are, but for those that it closes meanwhile."""
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            yield os.readlink(f"/proc/{pid}/fd/{fd}")


def ports_of(pid):
    """The netlink port numbers of this process's XFRM sockets."""
    links = set(links_of(pid))
    with open(f"/proc/{pid}/net/netlink") as file:
        lines = [line.split() for line in file.readlines()[1:]]
    return [int(line[2]) for line in lines if int(line[1]) == NETLINK_XFRM and f"socket:[{line[9]}]" in links]


def message(kind, body):
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body


def forged(lab, broker):
    """A process with CAP_NET_ADMIN here writes to the broker's ports what the kernel might say."""
    ports, lost = ports_of(lab.a.daemon.pid), broker.figure("mirror_lost_total")
    lab.need("the broker has netlink ports", ports)

    def send():
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_XFRM) as liar:
            for port in ports:
                for lie in (message(FLUSHPOLICY, b""), message(NEWSA, b"x" * 8), message(DELPOLICY, b"y" * 64), b"z"):
                    liar.sendto(lie, (port, 0))
            return True

    lab.need("messages are sent to it", lab.a.inside(send))
    lab.expect("they are counted as foreign", lab.wait(lambda: broker.figure("netlink_foreign_total") > 0, 5), broker.figure("netlink_foreign_total"))
    broker.expect_same("messages of a process")
    lab.expect("and nothing had to be read anew", broker.figure("mirror_lost_total") == lost, lost)
    lab.expect("protected as before", broker.protected() is True, broker.protected())


def run(lab):
    broker = Broken(lab)
    lab.expect("protected at first", lab.wait(lambda: broker.protected() is True, 3), broker.protected())
    for what, orders in CASES:
        lose_a_policy(lab, broker, what, orders)
    every_message_lost(lab, broker)
    forged(lab, broker)
    ten_thousand(lab, broker)
    denied = lab.a.run(["/run/bin/ipsec-gss", "mirror"], uid=2001)
    lab.expect("nobody but root may compare", denied.returncode == 4 and "NOT_ALLOWED" in denied.stderr, denied)
