# SPDX-License-Identifier: MIT
import socket

import gss
import krb5
from compatibility import ran
from servers import slapd

ALICE = "dn:cn=alice,dc=example,dc=org"


def show(lab, mechanism, how, protection, holds, facts):
    result = f"{protection}; authz-regexp makes the user an entry" if holds else "failed"
    ran(lab, slapd.PROGRAM, slapd.PACKAGES, mechanism, how, result, holds and facts.user == ALICE and facts.protection == protection, facts)


def run(lab):
    gss.brokers(lab, b=slapd.SERVICE)
    krb5.realm(lab)
    slapd.start(lab.b)
    facts = slapd.ask(lab)
    show(lab, "krb5", "-Y GSSAPI -O minssf=56", "ssf 256", facts.ok, facts)
    krb5.no_ticket(lab.a)
    facts = slapd.ask(lab, mechanism=slapd.IPSEC, more=("-U", "alice"))
    show(lab, "ipsec", f"-Y {slapd.IPSEC} -U alice", "ssf 0", facts.ok, facts)
    facts = slapd.ask(lab, mechanism="GSS-SPNEGO")
    show(lab, "ipsec", "-Y GSS-SPNEGO -O minssf=56, no ticket", "ssf 256", facts.ok, facts)
    other = lab.a.inside(lambda: socket.create_connection(("10.1.0.2", slapd.PORT)))
    refused = slapd.tool(lab.a, "ldapwhoami", "-Y", slapd.IPSEC, "-U", "alice")
    other.close()
    ran(lab, slapd.PROGRAM, slapd.PACKAGES, "ipsec", f"-Y {slapd.IPSEC} -U alice, another client is connected",
        "no: slapd's socket cannot be told, and is not guessed", refused.returncode != 0 and "dn:" not in refused.stdout, refused)
    lab.expect("and its log says why", "found several connections; name the socket" in lab.b.log("slapd.log"), lab.b.log("slapd.log")[-1000:])
