# SPDX-License-Identifier: MIT
import gss
from peer import Exchange

CHANGED = "the descriptor now names another connection"


def listens(lab, port):
    server = lab.b.peer()
    lab.need(f"another server listens at {port}", "errno" not in server.cmd("listen", "10.1.0.2", port))
    return server


def reuse(lab, client, server, port):
    """Another connection under the number of the client's descriptor."""
    before = client.cmd("close")["fd"]
    after = client.cmd("connect", "10.1.0.2", port).get("fd")
    lab.need("another connection under the same number", after == before and "fd" in server.cmd("accept"), (before, after))


def reconnect(lab, client, server, port):
    """connect(AF_UNSPEC): the descriptor and the cookie stay, the connection does not."""
    lab.need("the same socket has another connection", "fd" in client.cmd("reconnect", "10.1.0.2", port) and "fd" in server.cmd("accept"))


def begin(lab, client, server, tokens):
    """An exchange of a credential that names its socket, `tokens` calls of each side long; the token for the initiator's next call."""
    named = client.cmd("cred", "initiate", "socket=current")
    lab.need("a credential for this socket", named["major"] == 0, named)
    Exchange(client, server)
    token = "-"
    for _ in range(tokens):
        token = client.cmd("init", token, "flags=62")["token"]
        token = server.cmd("step", token)["token"]
    return token


def refused_call(lab, name, client, token, phrase=CHANGED):
    answer = client.cmd("init", token, "flags=62")
    lab.expect(f"{name}: refused, '{phrase}'", answer["major"] >= 1 << 16 and gss.says(answer, phrase), answer)
    lab.expect(f"{name}: no token leaves", not answer["token"], answer)


def number_reused(lab):
    for port, tokens, name in ((7000, 0, "the number is reused before the first call"), (7010, 1, "before the last call")):
        client, server = gss.peers(lab, port=port)
        token = begin(lab, client, server, tokens)
        reuse(lab, client, listens(lab, port + 1), port + 1)
        refused_call(lab, name, client, token)


def connected_elsewhere(lab):
    client, server = gss.peers(lab, port=7030)
    answer = begin(lab, client, server, 1)
    reconnect(lab, client, listens(lab, 7031), 7031)
    refused_call(lab, "the same socket, connected elsewhere before the last call", client, answer, "connected elsewhere by now")


def messages_stop(lab):
    """The library asks nobody at a message: what tells is this latch, and no other, once the broker has heard that the socket is gone."""
    client, server = gss.peers(lab, port=7050)
    others = gss.peers(lab, port=7060)
    for ends in ((client, server), others):
        gss.context(lab, *ends)
    server.cmd("close")
    reuse(lab, client, listens(lab, 7051), 7051)
    gone = gss.failed_wrap(lab, client, "for the first peer only", 5)
    lab.expect("messages stop when the broker has seen that the socket is gone", gone and gss.says(gone, "the latch is closed"), gone)
    gss.deliver(lab, "those of another connection go on", *others, "for whom it was meant")


def run(lab):
    gss.brokers(lab)
    number_reused(lab)
    connected_elsewhere(lab)
    messages_stop(lab)
