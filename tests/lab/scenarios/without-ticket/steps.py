# SPDX-License-Identifier: MIT
# The interposer is the client's alone: the servers take any mechanism that is installed.
import os
import signal

import gss
import kerberos
import krb5
from compatibility import ran
from servers import apache, postgres, slapd

PEER, ALICE = "ipsec:fqdn:client.example.org/alice", "dn:cn=alice,dc=example,dc=org"
HOW = 'no ticket, without-ticket = "ipsec"'
PSQL = f"{postgres.BIN}/psql"


def lines(*paths):
    return "".join(f'[[program]]\npath = "{path}"\nwithout-ticket = "ipsec"\n' for path in paths)


def refused(done):
    return done.returncode != 0 and "GSSAPI" in done.stderr


def database(lab, env):
    facts = postgres.ask(lab, env)
    ran(lab, postgres.PROGRAM, postgres.PACKAGES, "ipsec", f"gssencmode=require, {HOW}", "works, encrypted; the user is the peer's",
        facts.ok and facts.user == PEER and facts.protection == "encrypted", facts)
    data = postgres.rows(1_000_000)
    back, *_ = postgres.copy_both_ways(lab.a, data, env)
    lab.expect("what COPY took comes back", back == data, (len(back), len(data)))
    lab.expect("not without the interposer", refused(postgres.psql(lab.a, "select 1")))


def directory(lab, env):
    slapd.start(lab.b)
    facts = slapd.ask(lab, env)
    ran(lab, slapd.PROGRAM, slapd.PACKAGES, "ipsec", f"-Y GSSAPI -O minssf=56, {HOW}", f"works, {facts.protection}; authz-regexp makes the user an entry",
        facts.ok and facts.user == ALICE, facts)


def negotiated(lab, env):
    """SPNEGO offers mechanism ipsec by its own name: nobody stands in under it."""
    facts = apache.run(lab, env)
    ran(lab, apache.PROGRAM, apache.PACKAGES, "ipsec", HOW, "works, the user is the peer's", facts.ok and facts.user == PEER, facts)


def by_whom_it_is_wanted(lab, env):
    """The broker reads its configuration again under programs that are there already, and new ones."""
    def reload(config):
        with open(f"{lab.a.directory}/gssd.conf") as file:
            known = file.read().split("[[program]]")[0]
        with open(f"{lab.a.directory}/gssd.conf", "w") as file:
            file.write(known + config)
        before = lab.a.log("gssd.log").count("configuration read again")
        os.kill(lab.a.daemon.pid, signal.SIGHUP)
        lab.need("the configuration is read again", lab.wait(lambda: lab.a.log("gssd.log").count("configuration read again") > before, 10))

    reload(lines("/usr/bin/ldapsearch"))
    other = postgres.psql(lab.a, "select 1", env)
    lab.expect("not for a program without a line", refused(other), other)
    preferred = postgres.psql(lab.a, postgres.WHO, env, mode="prefer")
    lab.expect("which goes on without GSS where it may", preferred.stdout.strip() == "f|f||alice", preferred)
    reload(lines(PSQL))
    again = postgres.ask(lab, env)
    lab.expect("and again for one that has got its line back", again.ok and again.user == PEER, again)


def run(lab):
    gss.brokers(lab, a=lines(PSQL, "/usr/bin/ldapsearch", "/usr/bin/ldapwhoami", "/usr/bin/curl"), b=postgres.SERVICE + slapd.SERVICE + apache.SERVICE)
    krb5.realm(lab)
    env = kerberos.interposed(lab.a)
    postgres.start(lab.b, more=postgres.IN_CLEAR)
    with_ticket = postgres.ask(lab, env)
    lab.expect("with a ticket it is Kerberos", with_ticket.ok and with_ticket.user == "alice@EXAMPLE.ORG", with_ticket)
    krb5.no_ticket(lab.a)
    wire = lab.a.capture()
    database(lab, env)
    directory(lab, env)
    negotiated(lab, env)
    lab.expect("all of it in ESP", not any(wire.outside_esp(port) for port in (postgres.PORT, slapd.PORT, apache.PORT)))
    by_whom_it_is_wanted(lab, env)
    lab.a.stop_broker()
    absent = postgres.psql(lab.a, "select 1", env)
    lab.expect("not without a broker", refused(absent), absent)
