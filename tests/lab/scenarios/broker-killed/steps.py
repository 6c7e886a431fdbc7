# SPDX-License-Identifier: MIT
import signal

import gss
import net
import status
from peer import Exchange

NEW, BACK = 7001, 7002  # the second where A accepts
OLD = (7000, 7003)


class Fault:
    """The place where A's broker dies next; the program has the list (broker/fault_points.def)."""

    def __init__(self, host):
        self.host, self.path = host, f"{host.directory}/fault"
        self.choose("")

    def choose(self, point):
        with open(self.path, "w") as file:
            file.write(point)

    def points(self):
        listed = self.host.run(["/run/bin/ipsec-gssd", "--fault-points"]).stdout.split()
        return list(zip(listed[::2], listed[1::2]))

    def start(self, ready=True):
        self.host.broker(net.static_identities(self.host), ready=ready, env={"GSS_IPSEC_FAULT_FILE": self.path})

    def died(self, seconds=0.0):
        daemon = self.host.daemon
        return self.host.lab.wait(lambda: daemon.poll() is not None, seconds) and daemon.returncode == -signal.SIGKILL


class Pair:
    """A connection between A and B on which a context is begun; `client` initiates."""

    def __init__(self, lab, one, other, from_a, name):
        self.mine, self.exchange = one, None
        self.client, self.server = (one, other) if from_a else (other, one)
        self.target = "host@server.example.org" if from_a else "host@client.example.org"
        for peer in (one, other):
            peer.cmd("context", name)
        answer = self.client.cmd("connect", net.V4["B" if from_a else "A"], NEW if from_a else BACK, "wait=8")
        lab.need(f"{name}: connected", "fd" in answer and "fd" in self.server.cmd("accept", "wait=8"), answer)

    def context(self):
        self.exchange = Exchange(self.client, self.server, target=self.target)
        return self.exchange.run()

    def end(self):
        for peer in (self.client, self.server):
            peer.cmd("delete")
            peer.cmd("close")


def stale(peer):
    """Any call that asks the broker finds its connection dead, and with it the latches."""
    return peer.cmd("cred", "initiate")


def reach(lab, fault, point, pair, old):
    """What brings the broker to this point."""
    family = point.split("_")[0]
    if family in ("request", "answer", "initiate", "accept", "release"):
        established = pair.context()
        lab.expect(f"{point}: there is a context to release", established or family != "release", pair.exchange.why)
        pair.client.cmd("delete")
    elif family in ("hand", "take"):
        lab.expect(f"{point}: there is a context to export", pair.context(), pair.exchange.why)
        pair.client.cmd("import", pair.client.cmd("export")["token"] or "00")
    elif family == "check":
        lab.a.stop_broker()
        fault.start()
        fault.choose(point)
        stale(old[0])
        gss.deliver(lab, f"{point}: while nobody can confirm", *old, "sealed")
    elif family == "latch":
        lab.a.ip(*[f"xfrm policy update src {s} dst {d} dir {way} action allow" for s, d, way in (("10.1.0.1", "10.1.0.2", "out"), ("10.1.0.2", "10.1.0.1", "in"))])
    elif family == "reload":
        lab.a.daemon.send_signal(signal.SIGHUP)
    elif family in ("mirror", "census", "sources"):
        lab.a.stop_broker()
        fault.start(ready=False)
    else:
        lab.expect(f"this scenario knows what leads to {point}", False)


def raw(lab, name, sender, receiver, words):
    sender.cmd("send", gss.text(words))
    lab.expect(f"{name}: octets past the library arrive", words in bytes.fromhex(receiver.cmd("recv", "wait=2").get("data", "")).decode(errors="replace"))


def killed_at(lab, fault, point, latched, number, pair, old, wires):
    if not point.startswith("check"):
        if point.startswith("release"):
            stale(pair.mine)  # is answered behind what this process released before, which nobody answers
        fault.choose(point)
    reach(lab, fault, point, pair, old)
    lab.need(f"{point}: the broker dies there", fault.died(10), lab.a.log("gssd.log")[-500:])
    lab.a.processes.remove(lab.a.daemon)
    answers = [a for a in (pair.exchange.first, pair.exchange.second) if a] if pair.exchange else []
    lab.expect(f"{point}: errors of both ends have reasons", all(a["major"] in (0, 1) or a["why"] for a in answers), answers)
    for wire in wires:
        lab.expect(f"{point}: no clear segment", not any(wire.clear_segments(port, bare=True) for port in (*OLD, NEW, BACK)))
    lab.a.ip("xfrm policy flush")
    raw(lab, f"{point}: without broker and SPD", *old, f"nothing guards {number} but the latch")
    if latched == "latched" and point.split("_")[0] not in ("check", "latch"):
        theirs = pair.server if pair.mine is pair.client else pair.client
        raw(lab, f"{point}: on the new socket", pair.mine, theirs, f"latched halfway {number}")
    for wire in wires:
        lab.expect(f"{point}: no payload in clear", not wire.clear_payload(b"nothing guards") and not wire.clear_payload(b"latched halfway"))
        lab.expect(f"{point}: no clear segment of an open latched socket", not any(wire.clear_segments(port, bare=True) for port in OLD))
        wire.clear()
    net.policies(lab.a)
    fault.choose("")
    fault.start()


def goes_on(lab, point, old):
    if point == "latch_told_broken":
        refused = old[0].cmd("wrap", 0, 1, gss.text("x"))
        lab.expect(f"{point}: what was told broken stays so", gss.says(refused, "the latch on this connection is broken"), refused)
        return long_lived(lab, OLD[1])
    stale(old[0])
    gss.deliver(lab, f"{point}: the old context", *old, f"after {point}")
    gss.deliver(lab, f"{point}: the old context back", *old[::-1], f"back after {point}")
    said = status.of_peer(lab.a, old[0])
    lab.expect(f"{point}: the new broker verified the latch", said.get("latch") == "established", said)
    return old


def long_lived(lab, port):
    """A context that lives through the deaths of many brokers."""
    old = gss.peers(lab, port=port)
    gss.context(lab, *old)
    return old


def another_peer(lab, old, wires):
    """After a restart the same SAs are said to be somebody else's."""
    lab.a.stop_broker(kill=True)
    lab.a.broker(net.static_identities(lab.a).replace("server.example.org", "other.example.org"))
    stale(old[0])
    refused = old[0].cmd("wrap", 0, 1, gss.text("x"))
    lab.expect("another peer after a restart: broken", gss.says(refused, "the latch on this connection is broken"), refused)
    raw(lab, "the socket keeps the policy", *old, "under the former policy")
    lab.expect("and sends nothing in clear", not any(wire.clear_payload(b"under the former policy") for wire in wires))


def run(lab):
    fault = Fault(lab.a)
    points = fault.points()
    lab.need("the broker was configured with --enable-fault-points", points)
    fault.start()
    lab.b.broker(net.static_identities(lab.b))
    one, other = lab.a.peer(), lab.b.peer()
    for peer, port in ((one, BACK), (other, NEW)):
        lab.need("listens", "fd" in peer.cmd("listen", net.V4[peer.host.name], port))
    old = long_lived(lab, OLD[0])
    wires = [lab.a.capture(), lab.b.capture()]
    for number, (point, latched) in enumerate(points):
        pair = Pair(lab, one, other, not point.startswith("accept"), point)
        killed_at(lab, fault, point, latched, number, pair, old, wires)
        old = goes_on(lab, point, old)
        pair.end()
        pair = Pair(lab, one, other, not point.startswith("accept"), point + "-later")
        lab.expect(f"{point}: a later context works", pair.context(), pair.exchange.why)
        gss.deliver(lab, f"{point}: the later context", pair.client, pair.server, "later")
        pair.end()
    another_peer(lab, old, wires)
