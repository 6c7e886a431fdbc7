# SPDX-License-Identifier: MIT
import json
import os
from pathlib import Path

import gss
import kerberos
import krb5
from host import MECHANISM
from peer import Exchange, connected
from servers import daemon

PLAIN = {}  # the environment of an end without the interposer


def attempt(lab, name, port, env=None):
    client, server = kerberos.peer(lab.a, env), kerberos.peer(lab.b, env)
    connected(lab, client, server, port=port)
    exchange = Exchange(client, server)
    lab.need(f"{name}: the context is established", exchange.run(), exchange.why)
    kinds = kerberos.conversation(lab, name, client, server)
    lab.expect(f"{name}: every message is Kerberos'", kinds == [["kerberos", "kerberos"]] * 4, kinds)
    return exchange


def seen(exchange):
    """What a program can observe: flags, names, lifetimes (to ten minutes), sizes of tokens, errors (not minor codes: docs/decisions/0011)."""
    facts = [sorted(gss.flag_names(end["flags"])) for end in (exchange.first, exchange.second)]
    for end in (exchange.client, exchange.server):
        asked = end.cmd("inquire")
        facts.append({**asked, "lifetime": round(asked["lifetime"] / 600)})
        facts.append({conf: len(end.cmd("wrap", 0, conf, gss.text("x"))["token"]) for conf in (0, 1)})
        facts.append({name: {**end.cmd(*words), "minor": 0} for name, words in (("quality", ("wrap", 7, 1, "00")), ("token", ("unwrap", "0504")), ("foreign", ("unwrap", "14" * 60)))})
    return facts


def alike(answers):
    """Without what the mechglue itself makes of an interposer (docs/decisions/0011, 0022): a name's mechanism, a text that it loses otherwise, and that
    Kerberos alone has no order to be set."""
    base = MECHANISM.rsplit(".", 1)[0]
    answers = json.loads(answers.replace(f"{base}.2.42.{kerberos.KRB5[4:]}", kerberos.KRB5).replace(f"{base}.8.43.{kerberos.SPNEGO[4:]}", kerberos.SPNEGO))
    answers.pop("credential negotiates", None)
    answers["no key"] = answers["no key"].split(", Minor")[0]
    answers["credential negotiates"] = None  # of Kerberos alone, where it changes nothing
    return answers


def observed(lab, port, env):
    """Everything that tests/lab/servers/gss_observed.py asks at both ends: the initiator's and the acceptor's answers."""
    program = (Path(daemon.__file__).parent / "gss_observed.py").read_text()

    def argv(role):
        return ["/usr/bin/python3", "-c", program, role, str(port)]
    log = f"observed.{port}"
    server = daemon.serve(lab.b, argv("accept"), port, log, env=env(lab.b))
    done = lab.a.run(argv("initiate"), env=env(lab.a), timeout=60)
    server.wait(timeout=30)
    lab.b.processes.remove(server)
    lab.need(f"{port}: both ends come to their end", done.returncode == 0 and server.returncode == 0, done.stdout[-300:] + done.stderr[-1500:] + lab.b.log(log)[-1200:])
    return alike(done.stdout), alike(lab.b.log(log))


def the_same(lab):
    """Both interposers at both ends, and a line that would let them act; against none of it."""
    krb5.ticket(lab.a, "alice", more=("-f",))
    ours, plain = observed(lab, 7010, lambda host: kerberos.interposed(host, spnego=True)), observed(lab, 7011, lambda host: PLAIN)
    for end, with_us, without in zip(("initiator", "acceptor"), ours, plain):
        differ = {name: (with_us.get(name), without.get(name)) for name in {**with_us, **without} if with_us.get(name) != without.get(name)}
        lab.expect(f"the {end} observes the same in {len(without)} respects", not differ and len(without) > 150, differ)
    results = [plain[0][f"{case}: result"] for case in ("usual", "spnego", "delegated", "spnego delegated", "bindings")]
    lab.expect("the cases are what they are called", all(isinstance(each, list) for each in results) and plain[1]["delegated: result"][5] and
               "BadChannelBindings" in plain[1]["others: result"], (results, plain[1]["delegated: result"], plain[1]["others: result"]))


def run(lab):
    kerberos.realm(lab)
    for host in (lab.a, lab.b):
        host.broker(kerberos.program("skip") + kerberos.program("skip", os.path.realpath("/usr/bin/python3")) + kerberos.IPSEC_FIRST)
    interposed = seen(attempt(lab, "in clear", 7000))
    plain = seen(attempt(lab, "without the interposer", 7001, PLAIN))
    lab.expect("the initiator is alice", plain[5]["source"] == "alice@EXAMPLE.ORG", plain)
    lab.expect("a program observes the same", interposed == plain, [pair for pair in zip(interposed, plain) if pair[0] != pair[1]])
    the_same(lab)
    for host in (lab.a, lab.b):
        host.stop_broker()
    attempt(lab, "without brokers", 7002)
