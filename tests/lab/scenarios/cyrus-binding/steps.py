# SPDX-License-Identifier: MIT
from pathlib import Path

import gss
from servers import cyrus
from servers.daemon import USERS

PROGRAM = (Path(__file__).parents[2] / "servers/sasl_bound.py").read_text()
SERVER = "10.1.0.2"
PEER = "user ipsec:fqdn:client.example.org/alice"
PLUS = f"{cyrus.IPSEC}-PLUS"


def end(role, mechanisms, binding):
    return ["/usr/bin/python3", "-c", PROGRAM, role, SERVER, mechanisms, binding]


def exchange(lab, client, server, mechanisms=""):
    """What both ends printed."""
    log = f"{lab.assertions}.log"
    process = lab.b.popen(end("server", "", server), log=log)
    lab.need(f"{log}: listens", lab.wait(lambda: "listening" in lab.b.log(log), 15), lab.b.log(log))
    done = lab.a.run(end("client", mechanisms, client), uid=USERS["alice"])
    process.wait(timeout=15)
    return done.stdout + done.stderr, lab.b.log(log)


def run(lab):
    gss.brokers(lab)
    said, heard = exchange(lab, "of this channel!", "of this channel!", PLUS)
    lab.expect("where bindings must be, -PLUS alone is offered", f"{PLUS}\n" in heard and f"{cyrus.IPSEC} " not in heard, (said, heard))
    lab.expect("the same bindings: the user is the peer's", PEER in heard and "user" in said, (said, heard))
    said, heard = exchange(lab, "of this channel!", "of that channel!", PLUS)
    lab.expect("others: refused", PEER not in heard and "error" in heard, (said, heard))
    said, heard = exchange(lab, "", "of this channel", cyrus.IPSEC)
    lab.expect("a client without any is let in where they are not wanted", PEER in heard, (said, heard))
    said, heard = exchange(lab, "", "of this channel!", cyrus.IPSEC)
    lab.expect("and refused where they are", PEER not in heard and "error" in heard, (said, heard))
