# SPDX-License-Identifier: MIT
import krb5
import gss
from compatibility import ran
from host import MECHANISM
from servers import postgres

PRINCIPAL, PEER = "alice@EXAMPLE.ORG", "ipsec:fqdn:client.example.org/alice"


def show(lab, mechanism, how, result, holds, detail):
    ran(lab, postgres.PROGRAM, postgres.PACKAGES, mechanism, how, result, holds, detail)


def as_krb5(lab, how):
    facts = postgres.ask(lab)
    good = facts.ok and facts.user == PRINCIPAL and facts.protection == "encrypted"
    show(lab, "krb5", how, "encrypted by krb5, the user is the principal", good, facts)


def run(lab):
    gss.brokers(lab, b=postgres.SERVICE)
    krb5.realm(lab)
    postgres.start(lab.b, more=postgres.IN_CLEAR)
    as_krb5(lab, "gssencmode=require")
    krb5.no_ticket(lab.a)
    without = postgres.psql(lab.a, "select 1")
    show(lab, "ipsec", "gssencmode=require, no ticket", "no: libpq asks for the default mechanism, which is krb5",
         without.returncode != 0 and "GSSAPI" in without.stderr, without)
    preferred = postgres.psql(lab.a, postgres.WHO, mode="prefer")
    show(lab, "ipsec", "gssencmode=prefer (the default), no ticket", "connects without GSS, as pg_hba.conf allows here",
         preferred.stdout.strip() == "f|f||alice", preferred)
    named = postgres.python_client(lab.a, MECHANISM)
    show(lab, "ipsec", "hostgssenc and gss in pg_hba.conf; a client that names the mechanism (python3-gssapi)",
         "the server takes it, the user is the peer's", named.stdout.strip() == f"t|t|{PEER}|alice", named.stdout + named.stderr + lab.b.log("postgres.log")[-1000:])
    for host in (lab.a, lab.b):
        host.stop_broker()
    krb5.ticket(lab.a, "alice", postgres.USERS["alice"])
    as_krb5(lab, "gssencmode=require, no broker")
