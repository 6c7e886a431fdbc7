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


def closed(lab, client, latched):
    """By the kernel, as soon as it is known who is there. The context's socket may also be reset by B, whose broker sees another end of its own."""
    for peer in (latched, client):
        lab.expect("the kernel closes the socket", lab.wait(lambda: "error" in status.of_peer(lab.a, peer), 5), status.of_peer(lab.a, peer))


def holds(lab, *peers):
    """The sockets stay open; messages stop."""
    for peer in peers:
        broken = lambda said: (said.get("peer") or {}).get("id") == f"fqdn:{RELAY}" and said["latch"] == "broken"
        lab.expect("the other identity is what protects the connection now, and its latch is broken",
                   lab.wait(lambda: broken(status.of_peer(lab.a, peer)), 5), status.of_peer(lab.a, peer))


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
    (closed if DESTROYS_SOCKETS else holds)(lab, client, latched)
    wrapped = client.cmd("wrap", 0, 1, gss.text("for the first identity only"))
    lab.expect("the context's latch is broken", gss.says(wrapped, "the latch on this connection is broken"), wrapped)
    lab.expect("so is the other one", latched.cmd("latched")["state"] == "broken", latched.cmd("latched"))
    again = latched.cmd("latch")
    lab.expect("nobody latches it to the other identity", again["name"] == ("NOT_CONNECTED" if DESTROYS_SOCKETS else "LATCH_BROKEN"), again)
    lab.expect("no clear segment of either", not wire.outside_esp(7000) and not wire.outside_esp(7001))
    lab.expect("no payload", not wire.clear_payload(b"for the first identity only"))
