# SPDX-License-Identifier: MIT
import gss
import net
import status
from host import DESTROYS_SOCKETS


def in_clear(lab, server, port, wire):
    """A segment of this connection that somebody sends in clear: the socket itself refuses it, for the SPD is empty."""
    before = net.template_mismatches(lab.b)
    lab.a.inside(lambda: net.clear_segment("10.1.0.1", "10.1.0.2", port, 7000, b"forged in clear"))
    lab.expect("a forged segment arrives in clear", lab.wait(lambda: wire.clear_payload(b"forged in clear"), 3))
    lab.expect("and is refused by the latched socket's template", lab.wait(lambda: net.template_mismatches(lab.b) == before + 1, 3), net.template_mismatches(lab.b))
    lab.expect("nothing of it is read", "error" in server.cmd("recv", "wait=0.3"))
    wire.clear()


def past_the_library(lab, client, server):
    """The socket's own policy stays in force, unless the kernel has closed the socket."""
    sent = client.cmd("send", gss.text("octets past the library"))
    got = server.cmd("recv", "wait=1")
    if DESTROYS_SOCKETS:
        lab.expect("the broken latch's socket is closed on both hosts", "errno" in sent and "error" in got, (sent, got))
    else:
        lab.expect("they arrive over ESP", got.get("data") == gss.text("octets past the library"), got)


def run(lab):
    gss.brokers(lab)
    client, server = gss.peers(lab)
    gss.context(lab, client, server)
    gss.deliver(lab, "before", client, server, "before the flush")
    port = status.of_peer(lab.b, server)["flow"]["remote_port"]
    wires = [lab.a.capture(), lab.b.capture()]
    for host in (lab.a, lab.b):
        host.ip("xfrm policy flush")
    broken = gss.failed_wrap(lab, client, "never in clear", 3)
    lab.expect("the next wrap fails with the latch's code", broken and gss.says(broken, "the latch on this connection is broken"), broken)
    sealed = client.cmd("wrap", 1, 1, gss.text("never in clear"))
    lab.expect("QOP 1 fails too", gss.says(sealed, "the latch on this connection is broken"), sealed)
    past_the_library(lab, client, server)
    for wire in wires:
        lab.expect("no payload in clear", not wire.clear_payload(b"octets past the library"))
        lab.expect("no clear segment of the open socket", not wire.clear_segments(7000, bare=True))
    if not DESTROYS_SOCKETS:
        in_clear(lab, server, port, wires[1])
        wires[0].clear()
    client.cmd("close")
    server.cmd("close")
    lab.wait(lambda: False, 0.5)
    for wire in wires:
        lab.expect("no payload after closing", not wire.clear_segments(7000))
