# SPDX-License-Identifier: MIT
import net
from peer import connected, text


def run(lab):
    left, right = lab.host("M").capture("eth0"), lab.host("M").capture("eth1")
    client, server = lab.a.peer(), lab.b.peer()
    connected(lab, client, server, address=net.ROUTED["B"])
    client.cmd("send", text("a secret in the lab"))
    lab.expect("the data arrive", server.cmd("recv").get("data") == text("a secret in the lab"))
    for name, wire in (("before", left), ("behind", right)):
        lab.expect(f"{name} the middle: both SPIs", wire.esp_spis() == set(net.SPI.values()), wire.esp_spis())
        lab.expect(f"{name} the middle: nothing in clear", not wire.clear_payload(b"secret in the lab") and not wire.clear_segments(7000, bare=True))
    for host in (lab.a, lab.b):
        host.ip("xfrm policy flush")
    open_client, open_server = lab.a.peer(), lab.b.peer()
    connected(lab, open_client, open_server, address=net.ROUTED["B"], port=7001)
    open_client.cmd("send", text("an open word"))
    open_server.cmd("recv")
    lab.expect("without policies the middle reads it", left.clear_payload(b"open word") and right.clear_payload(b"open word"))
