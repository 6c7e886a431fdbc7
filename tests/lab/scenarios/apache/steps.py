# SPDX-License-Identifier: MIT
import gss
import krb5
from compatibility import ran
from servers import apache
from servers.daemon import running

VOUCHED = '[[vouch]]\npeer = "fqdn:client.example.org"\nusers = { alice = "visitor" }\n'


def show(lab, mechanism, how, user):
    facts = apache.ask(lab)
    ran(lab, apache.PROGRAM, apache.PACKAGES, mechanism, how, f"the page comes, the user is {user}", facts.ok and facts.user == user, facts)


def run(lab):
    gss.brokers(lab, b=apache.SERVICE + VOUCHED)
    krb5.realm(lab)
    with running(lab.b, apache.start(lab.b)):
        show(lab, "krb5", "GssapiConnectionBound On", "alice@EXAMPLE.ORG")
        krb5.no_ticket(lab.a)
        show(lab, "ipsec", "GssapiConnectionBound On, no ticket", "ipsec:fqdn:client.example.org/alice")
    with running(lab.b, apache.start(lab.b, local="On")):
        show(lab, "ipsec", "GssapiLocalName On, no ticket, a [[vouch]] line", "visitor")
    apache.start(lab.b, bound="Off")
    facts = apache.ask(lab)
    ran(lab, apache.PROGRAM, apache.PACKAGES, "ipsec", "GssapiConnectionBound Off, no ticket", "no: 401, the context takes three tokens",
        not facts.ok and "401" in facts.said and "Mechanism needs continuation" in facts.said, facts)
