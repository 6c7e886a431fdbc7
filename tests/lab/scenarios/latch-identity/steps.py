# SPDX-License-Identifier: MIT
import os
import shutil

import gss
import ike
import status
from host import DESTROYS_SOCKETS

RELAY = "relay.example.org"


def become_relay(lab):
    """B's address, another host's certificate: A knows both, by a connection each."""
    ike.configure(lab.a, ike.connection(lab.a, "pubkey") + ike.connection(lab.a, "pubkey", remote_id=RELAY, name="r", child="start_action = none"))
    ike.load(lab.a)
    ike.swanctl(lab.a, "--terminate", "--ike", "c")
    ike.stop(lab.b)
    directory = f"{lab.b.directory}/swanctl"
    for kind, folder in (("crt", "x509"), ("key", "private")):
        shutil.copy(f"{lab.job['pki']}/{RELAY}.{kind}", f"{directory}/{folder}/")
        os.unlink(f"{directory}/{folder}/{ike.IDS['B']}.{kind}")
    with open(f"{directory}/swanctl.conf", "w") as file:
        connection = ike.connection(lab.b, "pubkey", local_id=RELAY).replace(f"certs = {ike.IDS['B']}.crt", f"certs = {RELAY}.crt")
        file.write(f"connections {{\n{connection}}}\n")
    ike.start(lab.b)


def run(lab):
    gss.brokers(lab)
    client, server = gss.peers(lab)
    gss.context(lab, client, server)
    latched, _ = gss.peers(lab, port=7001)
    answer = latched.cmd("latch")
    lab.need("another socket is latched without a context", answer["peer"] == "ipsec:fqdn:server.example.org", answer)
    lab.expect("it breaks shut only where the kernel closes sockets", answer["shut"] == DESTROYS_SOCKETS, answer)
    wire = lab.a.capture()
    become_relay(lab)
    lab.need("the other identity is at the same address", ike.initiate(lab.b).returncode == 0)
    said = lab.wait(lambda: (lambda s: s if (s.get("peer") or {}).get("id") == f"fqdn:{RELAY}" else None)(status.of_peer(lab.a, client)), 5)
    lab.need("and is what protects the connection now", said, status.of_peer(lab.a, client))
    wrapped = client.cmd("wrap", 0, 1, gss.text("for the first identity only"))
    lab.expect("the context's latch is broken", gss.says(wrapped, "the latch on this connection is broken"), wrapped)
    lab.expect("so is the other one", latched.cmd("latched")["state"] == "broken", latched.cmd("latched"))
    lab.expect("status says so", status.of_peer(lab.a, client)["latch"] == "broken")
    again = latched.cmd("latch")
    lab.expect("nobody latches it to the other identity", again["name"] == "LATCH_BROKEN", again)
    lab.expect("no clear segment of either", not wire.outside_esp(7000) and not wire.outside_esp(7001))
    lab.expect("no payload", not wire.clear_payload(b"for the first identity only"))
