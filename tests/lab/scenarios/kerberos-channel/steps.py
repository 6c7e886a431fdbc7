# SPDX-License-Identifier: MIT
# The group's PSK proves nobody, so latches are pinned: Kerberos says who the peer is, and nobody takes his place.
import json
import re

import gss
import ike
import kerberos
from peer import Exchange, connected
from traffic import Traffic
from vici import Vici

PLAIN = [["kerberos", "kerberos"]] * 4
SWITCHED = [["offer", "channel"]] + [["channel", "channel"]] * 3


def brokers(lab, a, b):
    for host, use in ((lab.a, a), (lab.b, b)):
        if host.daemon:
            host.stop_broker()
        host.broker(ike.broker_config(host) + kerberos.program(use))


def attempt(lab, port, client_env=None, server_env=None):
    client, server = kerberos.peer(lab.a, client_env), kerberos.peer(lab.b, server_env)
    connected(lab, client, server, port=port)
    exchange = Exchange(client, server)
    lab.need(f"{port}: the context is established", exchange.run(), exchange.why)
    name = server.cmd("inquire")["source"]
    lab.expect(f"{port}: the initiator is alice", name == "alice@EXAMPLE.ORG", name)
    return client, server


def said(lab, name, ends, wanted):
    got = kerberos.conversation(lab, name, *ends)
    lab.expect(f"{name}: {wanted[0]}, then {wanted[-1]}", got == wanted, (got, lab.a.log("trace.0")[-800:], lab.b.log("trace.0")[-800:]))


def doctor(lab, name, host, peer, grade, phrase):
    """What it finds of the program's Kerberos contexts and of the one on its connection."""
    done = host.run(["/run/bin/ipsec-gss", "doctor", "--json", "--pid", str(peer.process.pid)])
    found = {finding["check"]: finding for finding in json.loads(done.stdout)["findings"]}
    of_socket = [finding for check, finding in found.items() if re.fullmatch(r"kerberos-\d+", check)]
    lab.expect(f"doctor, {name}: the interposer is there and wanted", found["program-kerberos"]["grade"] == "ok", found.get("program-kerberos"))
    lab.expect(f"doctor, {name}: {phrase}", len(of_socket) == 1 and of_socket[0]["grade"] == grade and phrase in json.dumps(of_socket[0]), of_socket)


def run(lab):
    kerberos.realm(lab)
    brokers(lab, "skip", "skip")
    wire = lab.a.capture()
    ends = attempt(lab, 7000)
    said(lab, "both ends", ends, SWITCHED)
    doctor(lab, "both ends", lab.a, ends[0], "ok", "messages may rest on the channel")
    doctor(lab, "both ends", lab.b, ends[1], "ok", "an acceptor's context")
    lab.expect("the messages are in ESP alone", not wire.outside_esp(7000) and not wire.clear_payload(b"attack at dawn"))
    plain = {}
    said(lab, "the client alone", attempt(lab, 7001, None, plain), PLAIN)
    said(lab, "the server alone", attempt(lab, 7002, plain, None), PLAIN)
    said(lab, "neither", attempt(lab, 7003, plain, plain), PLAIN)
    brokers(lab, "bind", "skip")
    ends = attempt(lab, 7004)
    said(lab, "a client that only binds", ends, [["offer", "kerberos"]] + PLAIN[1:])
    doctor(lab, "a client that only binds", lab.a, ends[0], "ok", "Kerberos protects the messages")
    brokers(lab, "skip", "bind")
    said(lab, "a server that only binds", attempt(lab, 7005), PLAIN)
    brokers(lab, "off", "skip")
    said(lab, "a client that is off", attempt(lab, 7006), PLAIN)
    brokers(lab, "skip", "skip")
    rekeyed(lab)
    broken(lab)


def rekeyed(lab):
    """Kerberos' MICs do not look at the latch."""
    ends = attempt(lab, 7008)
    said(lab, "before rekeys", ends, SWITCHED)
    wire, daemon, before = lab.a.capture(), Vici(lab.a), ike.installed_spis(lab.a)
    with Traffic(*ends, look=("wrap", 0, 1, gss.text("x"))) as traffic:
        for number in range(3):
            here = ike.installed_spis(lab.a)
            lab.expect(f"rekey {number}: charon does it", daemon.command("rekey", child="t"))
            lab.expect(f"rekey {number}: there are new SAs", lab.wait(lambda: ike.installed_spis(lab.a) - here, 15), here)
            seen = traffic.count
            lab.expect(f"rekey {number}: switched messages go on", lab.wait(lambda: traffic.count > seen + 2 or traffic.failures, 15), traffic.count - seen)
    lab.expect(f"rekeys: {traffic.count} switched messages, all arrive", not traffic.failures, traffic.failures)
    # What is bound next wants SAs that are not new.
    gone = lab.wait(lambda: not before & ike.installed_spis(lab.a) and len(ike.installed_spis(lab.a)) == 2, 30)
    lab.expect("rekeys: the SAs of before are gone", gone, (before, ike.state(lab.a)))
    for way in (ends, ends[::-1]) * 2:
        traffic.message(*way)  # until no token is made only to look
    said(lab, "after rekeys", ends, [["channel", "channel"]] * 4)
    lab.expect("several SPIs carried them", len(wire.esp_spis()) > 2, wire.esp_spis())
    lab.expect("rekeys: no clear segment", not wire.clear_segments(7008, bare=True) and not wire.clear_payload(b"attack at dawn"))


def broken(lab):
    ends = attempt(lab, 7010)
    said(lab, "before the latch breaks", ends, SWITCHED)
    wire = lab.a.capture()
    lab.a.ip("xfrm state flush", "xfrm policy flush")
    stopped = gss.failed_wrap(lab, ends[0], "a secret for nobody", 8)
    lab.expect("a broken latch stops messages", stopped and gss.says(stopped, "the latch on this connection is broken"), stopped)
    lab.expect("and makes no token", not stopped.get("token"), stopped)
    ends[0].cmd("send", gss.text("octets past the library"))
    lab.expect("nothing in clear", not wire.outside_esp(7010) and not wire.clear_payload(b"secret for nobody") and not wire.clear_payload(b"past the library"))
