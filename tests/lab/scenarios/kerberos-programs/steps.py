# SPDX-License-Identifier: MIT
import os

import gss
import kerberos
import krb5
from servers import postgres, slapd

OCTETS = 2_000_000
PROGRAMS = (f"{postgres.BIN}/psql", f"{postgres.BIN}/postgres", "/usr/bin/ldapsearch", "/usr/bin/ldapwhoami", "/usr/sbin/slapd")
LINES = "".join(kerberos.program("skip", path) for path in PROGRAMS)


def ready(lab):
    """How often PostgreSQL said so: it listens before."""
    path = f"{lab.b.directory}/postgres.log"
    return open(path).read().count("ready to accept connections") if os.path.exists(path) else 0


def database(lab, data, client, server):
    ends, before = kerberos.Ends(lab, client, server), ready(lab)
    with postgres.running(lab.b, postgres.start(lab.b, ends.server)):
        lab.wait(lambda: ready(lab) > before, 20)
        facts = postgres.ask(lab, ends.client)
        back, *_ = postgres.copy_both_ways(lab.a, data, ends.client)
    name = f"PostgreSQL, interposer at client {client}, at server {server}"
    lab.expect(f"{name}: alice, encrypted", facts.ok and facts.user == "alice@EXAMPLE.ORG" and facts.protection == "encrypted", facts)
    lab.expect(f"{name}: what COPY took comes back", back == data, (len(back), len(data)))
    lab.expect(f"{name}: switched or not", ends.switched() == [client and server] * 2, ends)


def directory(lab, client, server):
    ends = kerberos.Ends(lab, client, server)
    facts = slapd.run(lab, ends.client, ends.server)
    name = f"slapd, interposer at client {client}, at server {server}"
    lab.expect(f"{name}: alice", facts.ok and facts.user == "dn:cn=alice,dc=example,dc=org", (facts, str(ends)))
    lab.expect(f"{name}: switched or not", ends.switched() == [client and server] * 2, ends)


def run(lab):
    gss.brokers(lab, a=LINES, b=LINES)
    krb5.realm(lab)
    wire = lab.a.capture()
    data = postgres.rows(OCTETS)
    for client, server in ((True, True), (True, False), (False, True), (False, False)):
        database(lab, data, client, server)
        directory(lab, client, server)
    lab.expect("all of it in ESP", not wire.outside_esp(postgres.PORT) and not wire.outside_esp(389))
