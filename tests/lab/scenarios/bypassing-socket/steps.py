# SPDX-License-Identifier: MIT
import gss
from peer import Exchange


def run(lab):
    gss.brokers(lab)
    client, server = gss.peers(lab)
    lab.need("the bypass is set", "fd" in client.cmd("bypass"))
    wire = lab.a.capture()
    client.cmd("send", gss.text("before it"))
    lab.expect("until there is a context it leaves in clear", lab.wait(lambda: wire.clear_payload(b"before it"), 3))
    lab.expect("the context rests on the latch that replaced the bypass", Exchange(client, server).run())
    wire.clear()
    client.cmd("send", gss.text(", after it"))
    arrived = []

    def all_is_there():
        arrived.append(server.cmd("recv", "wait=1").get("data") or "")
        return "".join(arrived) == gss.text("before it, after it")
    lab.expect("from then on all arrives, what the peer's policy refused included", lab.wait(all_is_there, 20), arrived)
    lab.expect("and nothing leaves in clear", not wire.clear_payload(b"after it") and not wire.clear_segments(7000, bare=True))
