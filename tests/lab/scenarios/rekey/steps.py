# SPDX-License-Identifier: MIT
import ike
import gss
import threading


def run(lab):
    gss.brokers(lab)
    client, server = gss.peers(lab)
    gss.context(lab, client, server)
    wire = lab.a.capture()
    before = ike.installed_spis(lab.a)
    rekeys = []

    def storm():
        for _ in range(4):
            rekeys.append(ike.rekey(lab.a).returncode)
    thread = threading.Thread(target=storm)
    thread.start()
    failures, count = [], 0
    while count < 1000 or thread.is_alive():
        count += 1
        wrapped = client.cmd("wrap", 0, 1, gss.text(f"message {count}"))
        if wrapped["major"] == 0:
            client.cmd("send", wrapped["token"])
            got = server.cmd("unwrap", server.cmd("recv")["data"])
        if wrapped["major"] != 0 or got["major"] != 0 or got["data"] != gss.text(f"message {count}"):
            failures.append((count, gss.why(wrapped), wrapped["major"] == 0 and gss.why(got)))
            break
    thread.join()
    lab.expect("the rekeys went well", rekeys == [0] * 4, rekeys)
    client_later, server_later = gss.peers(lab, port=7001)
    gss.context(lab, client_later, server_later)
    lab.expect("in the end none of the SAs at the start is left", lab.wait(lambda: not (before & ike.installed_spis(lab.a)), 8))
    lab.expect(f"nothing failed in {count} messages", not failures, failures)
    lab.expect("several SPIs were used", len(wire.esp_spis()) > 2, wire.esp_spis())
    lab.expect("no clear segment", not wire.clear_segments(7000, bare=True))
    client_later, server_later = gss.peers(lab, port=7002)
    gss.context(lab, client_later, server_later)
