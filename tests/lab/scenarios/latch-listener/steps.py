# SPDX-License-Identifier: MIT
import gss
import net
import status
from peer import Exchange

A, B = net.V4["A"], net.V4["B"]


def listener(lab, port, uid=None, address=B, **options):
    server = lab.b.peer(uid)
    words = [f"{key}={value}" for key, value in options.items()]
    lab.need(f"a server listens at {port}", "errno" not in server.cmd("listen", address, port, *words))
    return server


def refused(lab, name, code, answer):
    lab.expect(f"{name}: {code}", answer["name"] == code, answer)


def who_may(lab):
    own = listener(lab, 7001, uid=2002)
    refused(lab, "no latch is there yet, and no peer's address", "NO_LATCH", own.cmd("latch", "listener"))
    answer = own.cmd("latch", "listener", f"peer={A}")
    lab.expect("a user latches his own listener: LISTENER", answer["state"] == "listener" and own.cmd("latched", "listener")["state"] == "listener", answer)
    answer = own.cmd("latch", "listener")
    lab.expect("without a peer's address that latch is found", answer["state"] == "listener" and "client" in answer["peer"], answer)
    shared = listener(lab, 7002)
    lab.need("root latches his", shared.cmd("latch", "listener", f"peer={A}")["state"] == "listener")
    shared.cmd("setuid", 2001)
    refused(lab, "another user who holds it takes it away", "LATCH_OF_OTHER", shared.cmd("unlatch", "listener"))
    refused(lab, "or latches it", "NOT_OWNER", shared.cmd("latch", "listener", f"peer={A}"))
    lab.expect("it stays", shared.cmd("latched", "listener")["state"] == "listener")
    refused(lab, "a listener of both families", "NOT_LATCHABLE", listener(lab, 7003, address="::").cmd("latch", "listener", f"peer={A}"))
    refused(lab, "an SCTP listener", "NOT_LATCHABLE", listener(lab, 7004, proto="sctp").cmd("latch", "listener", f"peer={A}"))
    everywhere = listener(lab, 7005, address="0.0.0.0")
    lab.expect("a listener of all addresses", everywhere.cmd("latch", "listener", f"peer={A}")["state"] == "listener")


def in_the_queue(lab):
    """A connection that waits to be accepted began in clear, before the listener was latched."""
    for host in (lab.a, lab.b):
        host.ip("xfrm policy flush")
    server, early, late = listener(lab, 7010), lab.a.peer(), lab.a.peer()
    lab.need("one connects in clear", "fd" in early.cmd("connect", B, 7010))
    early.cmd("send", gss.text("octets from before"))
    for host in (lab.a, lab.b):
        net.policies(host)
    lab.need("then the listener is latched", server.cmd("latch", "listener", f"peer={A}")["state"] == "listener")
    lab.need("and accepts what waited", "fd" in server.cmd("accept"))
    said = lab.wait(lambda: (lambda s: s if s.get("protected") else None)(status.of_peer(lab.b, server)), 3)
    lab.expect("protected now, not since it began", said and not said["since_start"], said)
    gss.refused(lab, "no context on it", Exchange(early, server), "protected since it began")
    server.cmd("close")
    lab.need("a later one", "fd" in late.cmd("connect", B, 7010) and "fd" in server.cmd("accept"))
    server.cmd("context", "late")
    gss.context(lab, late, server)
    lab.expect("a child is latched for itself: ESTABLISHED", status.of_peer(lab.b, server)["latch"] == "established")


def inherits(lab, wires):
    """The SPD is empty, the listener's latch is all there is."""
    server, client = listener(lab, 7020), lab.a.peer()
    lab.need("latched", server.cmd("latch", "listener", f"peer={A}")["state"] == "listener")
    lab.b.ip("xfrm policy flush")
    lab.expect("LISTENER becomes stale, not broken, when no policy asks for it", lab.wait(lambda: server.cmd("latched", "listener")["state"] == "stale", 3))
    lab.need("a client under IPsec gets through", "fd" in client.cmd("connect", B, 7020, "wait=4") and "fd" in server.cmd("accept"))
    server.cmd("send", gss.text("from the child"))
    lab.expect("its child answers over ESP", client.cmd("recv").get("data") == gss.text("from the child"))
    lab.expect("no clear segment of it", not any(w.outside_esp(7020) for w in wires))
    lab.a.ip("xfrm policy flush")
    stranger = lab.a.peer()
    before = net.template_mismatches(lab.b)
    answer = stranger.cmd("connect", B, 7020, "wait=2")
    lab.expect("a client in clear does not", "fd" not in answer and net.template_mismatches(lab.b) > before, answer)
    own = [p for p in wires[1].outside_esp(7020) if p.source == bytes(map(int, B.split(".")))]
    lab.expect("and is not answered", not own, len(own))
    server.cmd("close", "listener")
    lab.expect("closed is heard at once: CLOSED", lab.wait(lambda: server.cmd("latched", "listener")["state"] == "closed", 4))


def run(lab):
    gss.brokers(lab)
    wires = [lab.a.capture(), lab.b.capture()]
    who_may(lab)
    in_the_queue(lab)
    inherits(lab, wires)
