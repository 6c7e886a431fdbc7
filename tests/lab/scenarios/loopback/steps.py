# SPDX-License-Identifier: MIT
import gss
import net
import status
from peer import connected


def run(lab):
    lab.a.broker(net.static_identities(lab.a))
    lab.a.ip("xfrm policy add src 127.0.0.1 dst 127.0.0.1 dir out tmpl src 127.0.0.1 dst 127.0.0.1 proto esp reqid 1 mode transport level use",
             "xfrm policy add src 127.0.0.1 dst 127.0.0.1 dir in tmpl src 127.0.0.1 dst 127.0.0.1 proto esp reqid 1 mode transport level use")
    for address, port in (("127.0.0.1", 7000), ("10.1.0.1", 7001)):
        peer = lab.a.peer()
        peer.cmd("listen", address, port)
        lab.need(f"connects to {address}", "fd" in peer.cmd("connect", address, port))
        said = status.of_peer(lab.a, peer)
        lab.expect(f"{address} is told as same host", status.code(said) == "LOOPBACK" and not said.get("protected"), said)
        named = peer.cmd("cred", "initiate", "socket=current")
        lab.expect(f"{address}: no credential for it, and the reason", gss.says(named, "loopback and same-host connections are not IPsec"), named)
