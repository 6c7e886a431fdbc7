# SPDX-License-Identifier: MIT
# The group's PSK proves nobody, so latches are pinned: Kerberos says who the peer is, and nobody takes his place.
import concurrent.futures
import json
import re
import time

import gss
import ike
import kerberos
import krb5
from peer import Exchange, connected
from traffic import Traffic
from vici import Vici

PLAIN = [["kerberos", "kerberos"]] * 4
SWITCHED = [["offer", "channel"]] + [["channel", "channel"]] * 3
USUAL, DELEGATE = 62, 1
YOUNG = 4  # seconds that a new SA is too young to bind to, for certain


def brokers(lab, a, b):
    for host, use in ((lab.a, a), (lab.b, b)):
        if host.daemon:
            host.stop_broker()
        host.broker(ike.broker_config(host) + kerberos.program(use))


def peers(lab, port, client_env=None, server_env=None):
    client, server = kerberos.peer(lab.a, client_env), kerberos.peer(lab.b, server_env)
    connected(lab, client, server, port=port)
    return client, server


def attempt(lab, port, client_env=None, server_env=None, flags=USUAL):
    client, server = peers(lab, port, client_env, server_env)
    exchange = Exchange(client, server, flags=flags)
    lab.need(f"{port}: the context is established", exchange.run(), exchange.why)
    name = server.cmd("inquire")["source"]
    lab.expect(f"{port}: the initiator is alice", name == "alice@EXAMPLE.ORG", name)
    return client, server


def said(lab, name, ends, wanted):
    got = kerberos.conversation(lab, name, *ends)
    lab.expect(f"{name}: {wanted[0]}, then {wanted[-1]}", got == wanted, (got, lab.a.log("trace.0")[-800:], lab.b.log("trace.0")[-800:]))


def delegated(lab, name, port, wanted):
    """The server has alice's credential, and by it a ticket of hers for another context, which a third process accepts."""
    krb5.ticket(lab.a, "alice", more=("-f",))
    ends = attempt(lab, port, flags=USUAL | DELEGATE)
    said(lab, f"{name}, a credential delegated", ends, wanted)
    got = ends[1].cmd("delegated", "host@server.example.org")
    third = kerberos.peer(lab.b, {})
    taken = third.cmd("step", got["token"] or "00")
    lab.expect(f"{name}: the delegated credential is alice's, and usable", got["major"] == 0 and taken["major"] == 0 and third.cmd("inquire")["source"] == "alice@EXAMPLE.ORG", (got, taken))
    none = attempt(lab, port + 1)[1].cmd("delegated", "host@server.example.org")
    lab.expect(f"{name}: without being asked for none is delegated", none["why"] == "no credential was delegated", none)


def doctor(lab, name, host, peer, grade, phrase):
    """What it finds of the program's Kerberos contexts and of the one on its connection."""
    done = host.run(["/run/bin/ipsec-gss", "doctor", "--json", "--pid", str(peer.process.pid)])
    found = {finding["check"]: finding for finding in json.loads(done.stdout)["findings"]}
    of_socket = [finding for check, finding in found.items() if re.fullmatch(r"kerberos-\d+", check)]
    lab.expect(f"doctor, {name}: the interposer is there and wanted", found["program-kerberos"]["grade"] == "ok", found.get("program-kerberos"))
    lab.expect(f"doctor, {name}: {phrase}", len(of_socket) == 1 and of_socket[0]["grade"] == grade and phrase in of_socket[0]["found"], of_socket)


def run(lab):
    kerberos.realm(lab)
    brokers(lab, "skip", "skip")
    wire = lab.a.capture()
    ends = attempt(lab, 7000)
    said(lab, "both ends", ends, SWITCHED)
    for host, end, role, trace in ((lab.a, ends[0], "an initiator's", "SWITCH believed"), (lab.b, ends[1], "an acceptor's", "the peer switched")):
        doctor(lab, f"both ends, {role}", host, end, "ok", f"{role} context of /run/bin/gss_peer")
        doctor(lab, f"both ends, {role}", host, end, "ok", f'only the program\'s trace tells (GSS_IPSEC_TRACE: "{trace}")')
        lab.expect(f"which it does: {trace}", host.log("trace.0").count(trace) == 1, host.log("trace.0")[-800:])
    delegated(lab, "both ends", 7014, SWITCHED)
    lab.expect("the messages are in ESP alone", not wire.outside_esp(7000) and not wire.clear_payload(b"attack at dawn"))
    plain = {}
    said(lab, "the client alone", attempt(lab, 7001, None, plain), PLAIN)
    said(lab, "the server alone", attempt(lab, 7002, plain, None), PLAIN)
    said(lab, "neither", attempt(lab, 7003, plain, plain), PLAIN)
    brokers(lab, "bind", "skip")
    ends = attempt(lab, 7004)
    said(lab, "a client that only binds", ends, [["offer", "kerberos"]] + PLAIN[1:])
    doctor(lab, "a client that only binds", lab.a, ends[0], "ok", "Kerberos protects the messages")
    delegated(lab, "a client that only binds", 7016, [["offer", "kerberos"]] + PLAIN[1:])
    brokers(lab, "skip", "bind")
    said(lab, "a server that only binds", attempt(lab, 7005), PLAIN)
    brokers(lab, "off", "skip")
    said(lab, "a client that is off", attempt(lab, 7006), PLAIN)
    brokers(lab, "skip", "skip")
    rekeyed(lab)
    broken(lab)


def new_sas(lab, daemon):
    """Of a rekey that A begins; those of before live on for some seconds."""
    here, there = ike.installed_spis(lab.a), ike.installed_spis(lab.b)
    lab.need("charon begins a rekey", daemon.command("rekey", child="t"))
    lab.need("both hosts have new SAs", lab.wait(lambda: ike.installed_spis(lab.a) - here and ike.installed_spis(lab.b) - there, 15), (here, there))


def named(lab, port):
    """Where the acceptor is certain of its socket, other bindings are an error."""
    ends = peers(lab, port)
    lab.need(f"{port}: the server names its socket", ends[1].cmd("thread")["major"] == 0)
    return ends


def lives(lab, name, ends):
    """Messages arrive both ways, at the latest when an end has made a token (mech_ipsec(7))."""
    traffic = Traffic(*ends, look=("wrap", 0, 1, gss.text("x")))
    for way in (ends, ends[::-1]) * 2:
        traffic.message(*way)
    lab.expect(f"{name}: messages arrive", not traffic.failures, (traffic.failures, lab.a.log("trace.0")[-800:], lab.b.log("trace.0")[-800:]))


class AroundRekey:
    """No context fails that is begun before, during or after one, nor do its messages when the SAs of before are gone, whatever is bound or latched at one end
    or both. One whose token is under way for longer than SAs are young is taken for a man in the middle's."""

    def __init__(self, lab):
        self.lab, self.plain = lab, {}
        self.held = {"the client alone": attempt(lab, 7020, None, self.plain), "the server alone": attempt(lab, 7021, self.plain, None)}
        self.late, self.soon = Exchange(*named(lab, 7022)), Exchange(*named(lab, 7023))
        self.late_token, self.soon_token = (each.client.cmd("init", "-", f"flags={each.flags}")["token"] for each in (self.late, self.soon))

    def begin(self, daemon):
        """The rekey, and contexts while it goes on and while SAs are young."""
        lab, held, begun = self.lab, self.held, time.time()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            rekey = pool.submit(new_sas, lab, daemon)
            while not rekey.done() and len(held) < 4 or len(held) == 2:
                held[f"begun during a rekey, {len(held)}"] = attempt(lab, 7030 + len(held))
            rekey.result()
        got = self.soon.server.cmd("step", self.soon_token)
        back = self.soon.client.cmd("init", got["token"] or "-", f"flags={self.soon.flags}")
        lab.expect("begun before a rekey, accepted after it: established", got["major"] == 0 and back["major"] == 0, (gss.why(got), gss.why(back)))
        held |= {"accepted after a rekey": (self.soon.client, self.soon.server), "begun after a rekey": attempt(lab, 7024)}
        young = time.time() < begun + YOUNG
        for name in ("accepted after a rekey", "begun after a rekey"):
            kind = kerberos.KINDS[held[name][1].cmd("wrap", 0, 1, gss.text("x"))["token"][:2]]
            lab.expect(f"{name}: not bound, and nothing is offered", kind == "kerberos" or not young, (kind, lab.b.log("trace.0")[-800:]))
        lab.expect("both ends say why", not young or all("the SAs are being replaced" in host.log("trace.0") for host in (lab.a, lab.b)))

    def end(self):
        """The SAs of before are gone."""
        lab = self.lab
        said(lab, "begun when SAs are not young any more", attempt(lab, 7025), SWITCHED)
        got = self.late.server.cmd("step", self.late_token)
        lab.expect("a token under way for longer: GSS_S_BAD_BINDINGS", got["major"] & 0x00ff0000 == kerberos.GSS_S_BAD_BINDINGS, gss.why(got))
        for name, ends in self.held.items():
            lives(lab, f"{name}, when the SAs of before are gone", ends)


def rekeyed(lab):
    """Kerberos' MICs do not look at the latch."""
    ends = attempt(lab, 7008)
    said(lab, "before rekeys", ends, SWITCHED)
    others = AroundRekey(lab)
    wire, daemon, before = lab.a.capture(), Vici(lab.a), ike.installed_spis(lab.a)
    with Traffic(*ends, look=("wrap", 0, 1, gss.text("x"))) as traffic:
        for number in range(3):
            others.begin(daemon) if number == 0 else new_sas(lab, daemon)
            seen = traffic.count
            lab.expect(f"rekey {number}: switched messages go on", lab.wait(lambda: traffic.count > seen + 2 or traffic.failures, 15), traffic.count - seen)
    lab.expect(f"rekeys: {traffic.count} switched messages, all arrive", not traffic.failures, traffic.failures)
    # What is bound next wants SAs that are not new.
    gone = lab.wait(lambda: not before & ike.installed_spis(lab.a) and all(len(ike.installed_spis(host)) == 2 for host in (lab.a, lab.b)), 30)
    lab.expect("rekeys: the SAs of before are gone", gone, (before, ike.state(lab.a)))
    for way in (ends, ends[::-1]) * 2:
        traffic.message(*way)  # until no token is made only to look
    said(lab, "after rekeys", ends, [["channel", "channel"]] * 4)
    lab.expect("several SPIs carried them", len(wire.esp_spis()) > 2, wire.esp_spis())
    lab.expect("rekeys: no clear segment", not wire.clear_segments(7008, bare=True) and not wire.clear_payload(b"attack at dawn"))
    others.end()


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
