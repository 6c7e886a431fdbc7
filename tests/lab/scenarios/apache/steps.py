# SPDX-License-Identifier: MIT
import gss
import ike
import kerberos
import krb5
from compatibility import ran
from mixtures import NO_PLUGIN
from servers import apache
from servers.daemon import running

ALICE, PEER = "alice@EXAMPLE.ORG", "ipsec:fqdn:client.example.org/alice"
FIRST = '[[program]]\npath = "/usr/bin/curl"\n' + kerberos.IPSEC_FIRST
HOW = 'a ticket, spnego = "ipsec-first"'
VOUCHED = '[[vouch]]\npeer = "fqdn:client.example.org"\nusers = { alice = "visitor" }\n'


def show(lab, mechanism, how, user, env=None):
    facts = apache.ask(lab, env)
    ran(lab, apache.PROGRAM, apache.PACKAGES, mechanism, how, f"the page comes, the user is {user}", facts.ok and facts.user == user, facts)


def is_seen(lab, name, env, user):
    facts = apache.ask(lab, env)
    lab.expect(f"{name}: the user is {user}", facts.ok and facts.user == user, facts)


def with_ticket(lab):
    got = krb5.ticket(lab.a, "alice", krb5.USERS["alice"])
    lab.need("alice has a ticket again", got.returncode == 0, got.stderr)


def preferred(lab, before):
    """Mechanism ipsec before Kerberos takes the interposer before SPNEGO and a line for the program."""
    is_seen(lab, "the interposer without a line", before, ALICE)
    lab.a.stop_broker()
    lab.a.broker(ike.broker_config(lab.a) + FIRST)
    is_seen(lab, "a line without the interposer", None, ALICE)
    show(lab, "ipsec", HOW, PEER, before)


def interposed_server(lab, before):
    """Before a server's SPNEGO the interposer changes nothing, whoever comes; nor for a client that lost its IPsec."""
    with running(lab.b, apache.start(lab.b, kerberos.interposed(lab.b, spnego=True), local="On")):
        show(lab, "ipsec", "GssapiLocalName On, no ticket, a [[vouch]] line, both interposers at the server", "visitor")
        with_ticket(lab)
        is_seen(lab, "by mechanism ipsec", before, "visitor")
        is_seen(lab, "by Kerberos", None, "alice")
        wire = lab.a.capture()
        for host in (lab.a, lab.b):
            host.ip("xfrm policy flush")
        show(lab, "krb5", f"{HOW}, without IPsec, GssapiLocalName On", "alice", before)
        lab.expect("without IPsec", wire.outside_esp(apache.PORT))


def run(lab):
    gss.brokers(lab, b=apache.SERVICE + VOUCHED)
    krb5.realm(lab)
    before = kerberos.interposed(lab.a, spnego=True)
    with running(lab.b, apache.start(lab.b)):
        show(lab, "krb5", "GssapiConnectionBound On", ALICE)
        preferred(lab, before)
        krb5.no_ticket(lab.a)
        show(lab, "ipsec", "GssapiConnectionBound On, no ticket", PEER)
    with running(lab.b, apache.start(lab.b, bound="Off")):
        facts = apache.ask(lab)
        ran(lab, apache.PROGRAM, apache.PACKAGES, "ipsec", "GssapiConnectionBound Off, no ticket", "no: 401, the context takes three tokens",
            not facts.ok and "401" in facts.said and "Mechanism needs continuation" in facts.said, facts)
    with_ticket(lab)
    with running(lab.b, apache.start(lab.b, NO_PLUGIN)):
        show(lab, "krb5", f"{HOW}, a server without the plugin", ALICE, before)
    krb5.no_ticket(lab.a)
    interposed_server(lab, before)
