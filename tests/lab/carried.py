# SPDX-License-Identifier: MIT
"""The lab itself: what goes over TCP from A to B goes as ESP alone, whatever made the SAs."""
import ike
from peer import connected, text


def run(lab):
    wire = lab.a.capture()
    client, server = lab.a.peer(), lab.b.peer()
    connected(lab, client, server)
    client.cmd("send", text("a secret in the lab"))
    lab.expect("the data arrive", server.cmd("recv").get("data") == text("a secret in the lab"))
    spis = wire.esp_spis()
    lab.expect("two SPIs of the kernel's SAs are on the wire", len(spis) == 2 and spis <= ike.installed_spis(lab.a), spis)
    lab.expect("no payload in clear", not wire.clear_payload(b"secret in the lab"))
    lab.expect("no clear segment", not wire.clear_segments(7000, bare=True))
