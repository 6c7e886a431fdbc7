# SPDX-License-Identifier: MIT
import gss
import krb5
from compatibility import ran
from servers import cyrus

PEER = "ipsec:fqdn:client.example.org/alice"


def show(lab, mechanism, how, protection, user, facts):
    good = facts.ok and facts.protection == protection and facts.user == user
    ran(lab, cyrus.PROGRAM, cyrus.PACKAGES, mechanism, how, f"messages both ways, {protection}, the user is {user}", good, facts)


def run(lab):
    gss.brokers(lab)
    krb5.realm(lab)
    show(lab, "krb5", "GSSAPI, at least ssf 56", "ssf 256", "alice", cyrus.run(lab, security="min=56"))
    krb5.no_ticket(lab.a)
    show(lab, "ipsec", cyrus.IPSEC, "ssf 0", PEER, cyrus.run(lab, mechanism=cyrus.IPSEC, authid="alice"))
    show(lab, "ipsec", "GSS-SPNEGO, no ticket, at least ssf 56", "ssf 256", PEER, cyrus.run(lab, mechanism="GSS-SPNEGO", security="min=56"))
