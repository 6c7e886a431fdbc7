# SPDX-License-Identifier: MIT
import gss
import net


def run(lab):
    gss.brokers(lab)
    client, server = gss.peers(lab)
    gss.context(lab, client, server)
    wire = lab.a.capture()
    lab.a.ip("xfrm policy update src 10.1.0.1 dst 10.1.0.2 dir out action allow", "xfrm policy update src 10.1.0.2 dst 10.1.0.1 dir in action allow")
    broken = gss.failed_wrap(lab, client, "x", 3)
    lab.expect("broken", broken and gss.says(broken, "the latch on this connection is broken"), broken)
    client.cmd("send", gss.text("octets past the library"))
    lab.expect("the socket's own template holds", server.cmd("recv")["data"] == gss.text("octets past the library"))
    lab.expect("nothing in clear", not wire.clear_segments(7000, bare=True))
    lab.a.ip("xfrm policy update src 10.1.0.1 dst 10.1.0.2 dir out tmpl src 10.1.0.1 dst 10.1.0.2 proto esp reqid 1 mode transport",
             "xfrm policy update src 10.1.0.2 dst 10.1.0.1 dir in tmpl src 10.1.0.2 dst 10.1.0.1 proto esp reqid 1 mode transport")
    again = lab.wait(lambda: (lambda w: w if w["major"] == 0 else None)(client.cmd("wrap", 0, 1, gss.text("x"))), 3)
    lab.expect("established again when the conflict is cleared (RFC 5660)", again, again)
