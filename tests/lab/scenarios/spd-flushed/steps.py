# SPDX-License-Identifier: MIT
import gss


def run(lab):
    gss.brokers(lab)
    client, server = gss.peers(lab)
    gss.context(lab, client, server)
    gss.deliver(lab, "before", client, server, "before the flush")
    wires = [lab.a.capture(), lab.b.capture()]
    for host in (lab.a, lab.b):
        host.ip("xfrm policy flush")
    broken = lab.wait(lambda: (lambda w: w if w["major"] != 0 else None)(client.cmd("wrap", 0, 1, gss.text("never in clear"))), 3)
    lab.expect("the next wrap fails with the latch's code", broken and gss.says(broken, "the latch on this connection is broken"), broken)
    sealed = client.cmd("wrap", 1, 1, gss.text("never in clear"))
    lab.expect("QOP 1 fails too", gss.says(sealed, "the latch on this connection is broken"), sealed)
    client.cmd("send", gss.text("octets past the library"))
    server.cmd("recv", "wait=1")
    for wire in wires:
        lab.expect("no payload in clear", not wire.clear_payload(b"octets past the library"))
        lab.expect("no clear segment of the open socket", not wire.clear_segments(7000, bare=True))
    client.cmd("close")
    server.cmd("close")
    lab.wait(lambda: False, 0.5)
    for wire in wires:
        lab.expect("no payload after closing", not wire.clear_segments(7000))
