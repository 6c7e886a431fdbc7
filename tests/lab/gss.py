# SPDX-License-Identifier: MIT
"""Brokers, connected peers and contexts between A and B, as most scenarios want them."""
import ike
import net
from peer import Exchange, connected, flag_names, text

GSS_S_FAILURE, GSS_S_DEFECTIVE_TOKEN, GSS_S_BAD_MIC = 13 << 16, 9 << 16, 6 << 16


def brokers(lab, a="", b=""):
    """A broker on each host, with what names the peer in this topology and `a` or `b` behind it."""
    for host, more in ((lab.a, a), (lab.b, b)):
        known = ike.broker_config(host) if host.charon else net.static_identities(host)
        host.broker(known + more)


def peers(lab, port=7000, client=None, server=None, address="10.1.0.2", **options):
    """Two connected gss_peer processes; client and server are uids."""
    one, other = lab.a.peer(client), lab.b.peer(server)
    connected(lab, one, other, address=address, port=port, **options)
    return one, other


def context(lab, client, server, **options):
    """An established context."""
    exchange = Exchange(client, server, **options)
    lab.need("the context is established", exchange.run(), exchange.why)
    return exchange


def why(answer):
    """What a failed call says, for people and for comparisons."""
    return f"{answer.get('error')} / {answer.get('why')}"


def says(answer, phrase):
    return phrase in (answer.get("why") or "")


def refused(lab, name, exchange, phrase, change=lambda index, token: token):
    """The exchange fails on one end or the other, with this in the reason of at least one."""
    established = exchange.run(change)
    reasons = [a["why"] for a in (exchange.first, exchange.second) if a]
    return lab.expect(f"{name}: refused, '{phrase}'", not established and any(phrase in r for r in reasons), exchange.why)


def deliver(lab, name, sender, receiver, message, qop=0, conf=1):
    """A wrapped message goes over the connection and comes out equal."""
    wrapped = sender.cmd("wrap", qop, conf, text(message))
    if not lab.expect(f"{name}: wraps", wrapped["major"] == 0, why(wrapped)):
        return wrapped
    sender.cmd("send", wrapped["token"])
    got = receiver.cmd("unwrap", receiver.cmd("recv")["data"])
    lab.expect(f"{name}: unwraps to the same", got["major"] == 0 and got["data"] == text(message), why(got))
    return wrapped


def failed_wrap(lab, peer, message, seconds):
    """The answer of the first wrap that fails within that time."""
    return lab.wait(lambda: (lambda answer: answer if answer["major"] != 0 else None)(peer.cmd("wrap", 0, 1, text(message))), seconds)


__all__ = ["brokers", "context", "deliver", "failed_wrap", "flag_names", "peers", "refused", "says", "text", "why"]
