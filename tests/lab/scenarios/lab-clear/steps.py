# SPDX-License-Identifier: MIT
from peer import connected, text


def run(lab):
    wire = lab.b.capture()
    client, server = lab.a.peer(), lab.b.peer()
    connected(lab, client, server)
    client.cmd("send", text("a secret in the lab"))
    server.cmd("recv")
    lab.expect("the payload is seen", wire.clear_payload(b"secret in the lab"))
    lab.expect("the segments are seen", len(wire.clear_segments(7000)) >= 2)
    lab.expect("no ESP", not wire.esp_spis())
