# SPDX-License-Identifier: MIT
import ike
from peer import connected, text


def run(lab):
    wire = lab.a.capture()
    client, server = lab.a.peer(), lab.b.peer()
    connected(lab, client, server)
    client.cmd("send", text("a secret in the lab"))
    lab.expect("the data arrive", server.cmd("recv").get("data") == text("a secret in the lab"))
    spis = wire.esp_spis()
    lab.expect("two negotiated SPIs are on the wire", len(spis) == 2 and spis <= ike.installed_spis(lab.a), spis)
    lab.expect("no clear segment", not wire.clear_segments(7000, bare=True))
    lab.expect("the peer is who the key says", "server.example.org" in ike.swanctl(lab.a, "--list-sas").stdout)

    ike.configure(lab.a, ike.connection(lab.a, "psk"), psk="another key than that of the other host")
    ike.load(lab.a)
    ike.swanctl(lab.a, "--terminate", "--ike", "c")
    done = ike.initiate(lab.a)
    lab.expect("another key is refused", done.returncode != 0 and "AUTH" in done.stdout + done.stderr, done.stdout + done.stderr)
