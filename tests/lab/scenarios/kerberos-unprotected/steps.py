# SPDX-License-Identifier: MIT
import gss
import kerberos
from peer import Exchange, connected

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
    """What a program can observe: flags, names, lifetimes (in minutes), sizes of tokens, errors (not minor codes: docs/decisions/0011)."""
    facts = [sorted(gss.flag_names(end["flags"])) for end in (exchange.first, exchange.second)]
    for end in (exchange.client, exchange.server):
        asked = end.cmd("inquire")
        facts.append({**asked, "lifetime": asked["lifetime"] // 60})
        facts.append({conf: len(end.cmd("wrap", 0, conf, gss.text("x"))["token"]) for conf in (0, 1)})
        facts.append({name: {**end.cmd(*words), "minor": 0} for name, words in (("quality", ("wrap", 7, 1, "00")), ("token", ("unwrap", "0504")), ("foreign", ("unwrap", "14" * 60)))})
    return facts


def run(lab):
    kerberos.realm(lab)
    for host in (lab.a, lab.b):
        host.broker(kerberos.program("skip"))
    interposed = seen(attempt(lab, "in clear", 7000))
    plain = seen(attempt(lab, "without the interposer", 7001, PLAIN))
    lab.expect("the initiator is alice", plain[5]["source"] == "alice@EXAMPLE.ORG", plain)
    lab.expect("a program observes the same", interposed == plain, [pair for pair in zip(interposed, plain) if pair[0] != pair[1]])
    for host in (lab.a, lab.b):
        host.stop_broker()
    attempt(lab, "without brokers", 7002)
