# SPDX-License-Identifier: MIT
import json
import os
import re
from pathlib import Path

import gss
import kerberos
import krb5
from host import MECHANISM
from peer import Exchange, connected
from servers import daemon

CHANNEL_BOUND = 0x800
PLAIN = {}  # the environment of an end without the interposer

# What tests/lab/servers/gss_observed.py is to be answered where Kerberos is asked: which questions fail and how, all others having a value; and what matters of the values.
ORDERED = ("usual", "spnego", "dce", "bindings")  # cases that watch the order of messages
ASKED = (*ORDERED, "one way", "replay only")
UNAVAILABLE, NOBODY, INVALID = "OperationUnavailableError", "MissingCredentialsError", "InvalidTokenError"
FAILS_IN_EACH = {"unknown": UNAVAILABLE, "set option": UNAVAILABLE, "process token": INVALID, "quality": "BadQoPError", "verifies another": "BadMICError", "export": "ContextReadError", "after it": "ContextReadError",
                 "unwraps again False": INVALID}  # Kerberos has turned the token's octets
FAILS_IN_EACH |= {f"unwraps {name} {conf}": how for conf in (False, True) for name, how in
                  (("cut", "BadMICError"), ("changed", "BadMICError"), ("empty", "ParameterReadError"), ("foreign", INVALID), ("channel", INVALID))}
FAILS = {f"{case}: {what}": how for case in ASKED for what, how in FAILS_IN_EACH.items()}
FAILS |= {f"{case}: unwraps {name} {conf}": how for case in ORDERED for conf in (False, True) for name, how in (("third", "TokenTooEarlyError"), ("second", "TokenTooLateError"))}
FAILS |= {f"{case}: unwraps again True": "DuplicateTokenError" for case in (*ORDERED, "replay only")}
FAILS |= {f"name {kind}: attribute": UNAVAILABLE for kind in ("user", "service")}
FAILS |= {f"credential {name}": UNAVAILABLE for name in ("by oid", "option", "spnego: option")} | {f"credential {name}": NOBODY for name in ("both", "of nobody", "no cache", "no keytab", "wrong password")}
FAILS |= {"spnego: process token": UNAVAILABLE, "dce: opens aead": "GSSError", "dce: opens pieces": "GSSError", "strange token": "BadMechanismError", "no ticket": NOBODY, "no ticket for spnego": NOBODY, "no key": NOBODY,
          "credential spnego, no cache": NOBODY, "credential spnego: by mech": "BadChannelBindingsError"}  # that is what libgssapi says of a mechanism without the call
FAILS_OF = {"initiator": {**FAILS, "others: result": "Closed", "spnego bindings: result": "Closed", "unknown service: result": "GSSError", "empty token": NOBODY, "credential impersonates": "GSSError", "credential of a service": NOBODY,
                          **{f"{case}: authorization data": "GSSError" for case in ASKED}},
            "acceptor": {**FAILS, "others: result": "BadChannelBindingsError", "spnego bindings: result": "BadChannelBindingsError", "unknown service: result": "Closed", "empty token": "NameReadError", "credential impersonates": NOBODY, "credential of a name": NOBODY, "credential spnego of a name": NOBODY,
                         "credential stored": "GSSError"}}
VALUES_IN_EACH = {"ssf": ["00000100"], "session key": ["32 octets", "11 octets"], "size limit True": 940, "mic": "28 octets", "verifies": 0, "unwraps first False": ["message 0", False, 0],
                  "unwraps first True": ["message 0", True, 0], "unwraps fourth True": ["message 3", True, 0], "lucid": "Krb5LucidContextV1", "authtime": True, "is alice": True, "is bob": False}
VALUES = {f"{case}: {what}": value for case in ASKED for what, value in VALUES_IN_EACH.items()}
VALUES |= {f"{case}: {what}": value for case in ASKED if case != "dce" for what, value in (("opens aead", "message"), ("opens pieces", [True, "message"]))}
VALUES |= {"one way: unwraps again True": ["message 0", True, 0], "replay only: unwraps second True": ["message 1", True, 0], "moved: unwraps imported": "from the imported", "name user": "alice@EXAMPLE.ORG",
           "name service": "host/server.example.org@EXAMPLE.ORG", "mechanism of GS2-KRB5": kerberos.KRB5, "credential default": "Creds", "credential password": "Creds"}
VALUES_OF = {"initiator": {**VALUES, "credential moved": "alice@EXAMPLE.ORG"},
             "acceptor": {**VALUES, "delegated: used": kerberos.KRB5, "credential moved": "host/server.example.org@EXAMPLE.ORG", "usual: authorization data": "162 octets"}}


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


def unreal(end, answers):
    """Answers of this end that are none of Kerberos': an error that is not the one expected there, or another value."""
    failed = {name: answer.split(" ", 1)[0] for name, answer in answers.items() if isinstance(answer, str) and re.match(r"[A-Z]\w* \d* ", answer)}
    wrong = {name: (failed.get(name), FAILS_OF[end].get(name)) for name in {**failed, **FAILS_OF[end]} if failed.get(name) != FAILS_OF[end].get(name)}
    return wrong | {name: (answers.get(name), value) for name, value in VALUES_OF[end].items() if answers.get(name) != value}


def the_same(lab):
    """Both interposers at both ends, and a line that would let them act; against none of it."""
    krb5.ticket(lab.a, "alice", more=("-f",))
    ours, plain = observed(lab, 7010, lambda host: kerberos.interposed(host, spnego=True)), observed(lab, 7011, lambda host: PLAIN)
    for end, with_us, without in zip(("initiator", "acceptor"), ours, plain):
        differ = {name: (with_us.get(name), without.get(name)) for name in {**with_us, **without} if with_us.get(name) != without.get(name)}
        lab.expect(f"the {end} observes the same in {len(without)} respects", not differ and len(without) > 350, differ)
        lab.expect(f"the {end}'s answers are Kerberos'", not unreal(end, without), unreal(end, without))
    results = [plain[0][f"{case}: result"] for case in ("usual", "spnego", "delegated", "spnego delegated", "bindings", "spnego bound")]
    others = {case: plain[1][f"{case}: result"] for case in ("delegated", "spnego delegated", "others", "spnego bindings", "spnego bound")}
    lab.expect("the cases are what they are called", all(isinstance(each, list) for each in results) and others["delegated"][5] and others["spnego delegated"][5] and
               others["spnego bound"][1] & CHANNEL_BOUND and all("BadChannelBindings" in others[case] for case in ("others", "spnego bindings")), (results, others))


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
