# SPDX-License-Identifier: MIT
import gss
from peer import Exchange

ANONYMOUS = (62 & ~2) | 64  # nobody can be asked to prove himself
NOBODY = "IKE did not authenticate one single peer"
NOT_HERE = "the peer refused: it says: " + NOBODY


def attempt(lab, port, flags, *accept):
    client, server = gss.peers(lab, port=port)
    if accept:
        lab.need("the acceptor has a credential", server.cmd("cred", "accept", *accept)["major"] == 0)
    return Exchange(client, server, flags=flags)


def run(lab):
    gss.brokers(lab)
    gss.refused(lab, "nobody allowed it", attempt(lab, 7000, 62), NOBODY)
    gss.refused(lab, "only the acceptor allows it", attempt(lab, 7001, 62, "anonymous=allow"), NOBODY)
    gss.refused(lab, "only the initiator allows it", attempt(lab, 7002, ANONYMOUS), NOT_HERE)
    gss.refused(lab, "the acceptor refuses it by a line", attempt(lab, 7003, ANONYMOUS, "anonymous=refuse"), NOT_HERE)
    gss.refused(lab, "mutual authentication with nobody", attempt(lab, 7004, 62 | 64, "anonymous=allow"), NOBODY)

    exchange = attempt(lab, 7005, ANONYMOUS, "anonymous=allow")
    lab.need("both allow it: established", exchange.run(), exchange.why)
    for name, end, answer in (("initiator", exchange.client, exchange.first), ("acceptor", exchange.server, exchange.second)):
        flags = gss.flag_names(answer["flags"])
        lab.expect(f"{name}: anonymous and not mutual", "anon" in flags and "mutual" not in flags, flags)
        lab.expect(f"{name}: the initiator has no name", end.cmd("inquire")["source"] == "ipsec:anonymous", end.cmd("inquire"))
    gss.deliver(lab, "and messages go", exchange.client, exchange.server, "from nobody")
