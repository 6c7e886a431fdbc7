# SPDX-License-Identifier: MIT
import gss
import net
from peer import Exchange


def run(lab):
    gss.brokers(lab)
    client, server = gss.peers(lab)
    lab.need("the bypass is set", "fd" in client.cmd("bypass"))
    wire = lab.a.capture()
    done = Exchange(client, server).run()
    client.cmd("send", gss.text("after the latch"))
    server.cmd("recv", "wait=1")
    lab.expect("after a context nothing leaves in clear", not done or not wire.clear_payload(b"after the latch"))
    lab.expect("the context rests on the latch that replaced the bypass", done)
