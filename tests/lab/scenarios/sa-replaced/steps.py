# SPDX-License-Identifier: MIT
import gss
import net

OTHER = {("A", "B"): "0x" + "33" * 32 + "c1c2c3c4", ("B", "A"): "0x" + "44" * 32 + "d1d2d3d4"}
SPIS = {("A", "B"): 0x300, ("B", "A"): 0x400}


def run(lab):
    for host in (lab.a, lab.b):
        host.broker(net.static_identities(host))
    client, server = gss.peers(lab)
    gss.context(lab, client, server)
    wire = lab.a.capture()
    for host in (lab.a, lab.b):
        net.sas(host, keys=OTHER, spis=SPIS, algorithm="aead rfc4543(gcm(aes)) {key} 128")
        host.ip("xfrm state delete src 10.1.0.1 dst 10.1.0.2 proto esp spi 0x100", "xfrm state delete src 10.1.0.2 dst 10.1.0.1 proto esp spi 0x200")
    broken = lab.wait(lambda: (lambda w: w if w["major"] != 0 else None)(client.cmd("wrap", 0, 1, gss.text("not without encryption"))), 4)
    lab.expect("weaker than latched: broken", broken and gss.says(broken, "latch"), broken)
    lab.expect("nothing in clear", not wire.clear_segments(7000, bare=True))
