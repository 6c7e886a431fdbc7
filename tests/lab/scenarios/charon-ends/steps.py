# SPDX-License-Identifier: MIT
import gss
import ike
import status


def run(lab):
    gss.brokers(lab)
    client, server = gss.peers(lab)
    status.settled(lab, lab.a, client)
    gss.context(lab, client, server)
    gss.deliver(lab, "before", client, server, "while charon is there")
    wires = [lab.a.capture(), lab.b.capture()]
    ike.stop(lab.a)
    left = lab.a.run(["ip", "xfrm", "policy"]).stdout
    lab.expect("it leaves no policy for the connection behind", "dir out" not in left, left)
    broken = gss.failed_wrap(lab, client, "never in clear", 5)
    lab.expect("the next wrap fails with the latch's code", broken and gss.says(broken, "the latch on this connection is broken"), broken)
    client.cmd("send", gss.text("octets past the library"))
    lab.wait(lambda: False, 1.5)
    for wire in wires:
        lab.expect("nothing leaves in clear", not wire.clear_payload(b"octets past the library") and not wire.clear_segments(7000, bare=True))
