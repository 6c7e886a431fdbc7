# SPDX-License-Identifier: MIT
import net
from peer import connected, text


def run(lab):
    wire = lab.a.capture()
    client, server = lab.a.peer(), lab.b.peer()
    connected(lab, client, server)
    client.cmd("send", text("a secret in the lab"))
    lab.expect("the data arrive", server.cmd("recv")["data"] == text("a secret in the lab"))
    lab.expect("both SPIs are on the wire", wire.esp_spis() == set(net.SPI.values()), wire.esp_spis())
    lab.expect("no payload in clear", not wire.clear_payload(b"secret in the lab"))
    lab.expect("no clear segment", not wire.clear_segments(7000, bare=True))
