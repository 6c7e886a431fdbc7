# SPDX-License-Identifier: MIT
import gss
import krb5
from compatibility import ran
from servers import apache


def show(lab, mechanism, how, user):
    facts = apache.ask(lab)
    ran(lab, apache.PROGRAM, apache.PACKAGES, mechanism, how, f"the page comes, the user is {user}", facts.ok and facts.user == user, facts)


def run(lab):
    gss.brokers(lab, b=apache.SERVICE)
    krb5.realm(lab)
    apache.start(lab.b)
    show(lab, "krb5", "GssapiConnectionBound On", "alice@EXAMPLE.ORG")
    krb5.no_ticket(lab.a)
    show(lab, "ipsec", "GssapiConnectionBound On, no ticket", "ipsec:fqdn:client.example.org/alice")
