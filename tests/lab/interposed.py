# SPDX-License-Identifier: MIT
"""Unmodified programs whose Kerberos the interposer stands before, at both ends, one, or none: that they work, whom the server takes the client for, and
what each end says of the channel."""
import os

import gss
import kerberos
import krb5
from compatibility import ran
from servers import apache, cyrus, gss_python, gss_sample, postgres, slapd
from servers.daemon import must

PATHS = (f"{postgres.BIN}/psql", f"{postgres.BIN}/postgres", "/usr/bin/ldapsearch", "/usr/bin/ldapwhoami", "/usr/sbin/slapd", "/usr/bin/sasl-sample-client",
         "/usr/sbin/sasl-sample-server", "/usr/bin/gss-client", "/usr/bin/gss-server", os.path.realpath("/usr/bin/python3"), "/usr/bin/curl", "/usr/sbin/apache2")
LINES = "".join(kerberos.program("skip", path) for path in PATHS)
SWITCHES, BINDS = "messages rest on the channel", "bound; no message of the server's to switch with"
PROGRAMS = ((postgres, "alice@EXAMPLE.ORG", SWITCHES), (slapd, "dn:cn=alice,dc=example,dc=org", SWITCHES), (cyrus, "alice", SWITCHES),
            (gss_python, "alice@EXAMPLE.ORG", SWITCHES), (gss_sample, "alice@EXAMPLE.ORG", BINDS), (apache, "alice@EXAMPLE.ORG", BINDS))
QUICK = ((cyrus, "alice", SWITCHES), (gss_python, "alice@EXAMPLE.ORG", SWITCHES))
WHERE = {(True, True): "both ends", (True, False): "the client", (False, True): "the server", (False, False): "neither end"}
PORTS = (postgres.PORT, slapd.PORT, cyrus.PORT, gss_python.PORT, gss_sample.PORT, apache.PORT)


def ready(lab):
    """How often PostgreSQL said so: it listens before."""
    path = f"{lab.b.directory}/postgres.log"
    return open(path).read().count("ready to accept connections") if os.path.exists(path) else 0


def database(lab, ends, octets):
    """psql with gssencmode=require, and COPY both ways."""
    before, data = ready(lab), postgres.rows(octets)
    with postgres.running(lab.b, postgres.start(lab.b, ends.server)):
        lab.wait(lambda: ready(lab) > before, 20)
        facts = postgres.ask(lab, ends.client)
        back, *_ = postgres.copy_both_ways(lab.a, data, ends.client)
        facts.protection = "plain in its token" if plain_in_token(lab, ends) else facts.protection
    facts.ok = facts.ok and back == data and facts.protection != ""
    return facts


def plain_in_token(lab, ends):
    """Whether what the server sends stands in what psql reads: it was encrypted by ESP and not once more."""
    trace = "/tmp/strace-psql"
    if os.path.exists(trace):
        os.unlink(trace)
    argv = ["/usr/bin/strace", "-s", "300", "-e", "trace=recvfrom", "-o", trace, *postgres.command("select 'a row in its token'", "require")]
    must(lab.a.run(argv, env=ends.client, uid=postgres.USERS["alice"]))
    with open(trace) as lines:
        return "a row in its token" in lines.read()


def outcome(ends):
    """What the plugins wrote, in words."""
    if ends.switched() == [True, True] and ends.bound():
        return SWITCHES
    if ends.bound() and ends.switched() == [False, False]:
        return BINDS
    return "Kerberos alone" if not ends.bound() and ends.switched() == [False, False] else f"odd: {ends.bound()} {ends.switched()}"


def one(lab, module, user, wanted, ends, how, octets):
    facts = database(lab, ends, octets) if module is postgres else module.run(lab, ends.client, ends.server)
    got = outcome(ends)
    ran(lab, module.PROGRAM, module.PACKAGES, "krb5", how, f"works, the user is {user}; {wanted}", facts.ok and facts.user == user and got == wanted,
        f"{got} {facts} {ends}")
    if module is postgres:
        lab.expect(f"{how}: PostgreSQL's rows are {'plain' if wanted == SWITCHES else 'encrypted'} in their tokens",
                   (facts.protection == "plain in its token") == (wanted == SWITCHES), facts)
    if module is gss_python:
        tokens = "encrypted plain plain plain / encrypted plain plain plain" if wanted == SWITCHES else "encrypted encrypted encrypted encrypted / " \
            "encrypted encrypted encrypted encrypted"
        lab.expect(f"{how}: python's tokens are {tokens}", facts.protection == tokens, facts)


def run(lab, mixtures, below, protected, octets):
    """`mixtures`: at which ends the interposer is, and for which programs; `below`: what carries the connections, and whether it protects
    them; `octets`: what COPY carries."""
    gss.brokers(lab, a=LINES, b=LINES)
    krb5.realm(lab)
    wire = lab.a.capture()
    for (client, server), programs in mixtures.items():
        for module, user, wanted in programs:
            wanted = wanted if client and server and protected else "Kerberos alone"
            one(lab, module, user, wanted, kerberos.Ends(lab, client, server), f"the interposer at {WHERE[client, server]}, {below}", octets)
            if protected:
                lab.expect(f"{module.PROGRAM}: all of it in ESP", not any(wire.outside_esp(port) for port in PORTS))
            wire.clear()
