# SPDX-License-Identifier: MIT
import gss
import ike

ANONYMOUS = (62 & ~2) | 64  # a group's secret authenticates nobody


def run(lab):
    gss.brokers(lab)
    client, server = gss.peers(lab)
    lab.need("the acceptor takes anybody", server.cmd("cred", "accept", "anonymous=allow")["major"] == 0)
    gss.context(lab, client, server, flags=ANONYMOUS)
    gss.deliver(lab, "before", client, server, "to the first holder of the secret")
    wire = lab.a.capture()
    before = ike.installed_spis(lab.a)
    ike.stop(lab.b, kill=True)
    lab.b.ip("xfrm state flush", "xfrm policy flush")
    ike.start(lab.b)
    lab.need("another holder of the secret negotiates from the same address", ike.initiate(lab.b).returncode == 0)
    fresh = lab.wait(lambda: ike.installed_spis(lab.a) - before, 5)
    lab.need("new SAs of the same reqid and addresses", fresh, (before, fresh))
    client.cmd("send", gss.text("octets past the library"))
    lab.expect("the socket stalls", "error" in server.cmd("recv", "wait=1"))
    lab.expect("no ESP with a new SPI leaves for it", not wire.esp_spis() & fresh, (wire.esp_spis(), fresh))
    lab.expect("nothing in clear", not wire.outside_esp(7000) and not wire.clear_payload(b"past the library"))
    broken = gss.failed_wrap(lab, client, "x", 6)
    lab.expect("the latch is broken", broken and gss.says(broken, "the latch on this connection is broken"), broken)
    retry = client.cmd("latch")
    lab.expect("and is not set anew", retry["name"] in ("LATCH_BROKEN", "PEER_UNKNOWN"), retry)
