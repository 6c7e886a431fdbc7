# SPDX-License-Identifier: MIT
import gss
import ike
from peer import Exchange

MALLORY = 2003


def first_hello(lab, client, server):
    exchange = Exchange(client, server)
    answer = client.cmd("init", "-", "flags=62")
    lab.need("a HELLO", answer["token"], gss.why(answer))
    return exchange, answer["token"]


def on_same_ports(lab, port, local, client=None, server=None):
    """A connection with chosen ports at both ends."""
    one, other = lab.a.peer(client), lab.b.peer(server)
    other.cmd("listen", "10.1.0.2", port)
    one.cmd("connect", "10.1.0.2", port, f"port={local}")
    lab.need(f"connected from {local} to {port}", "fd" in other.cmd("accept"))
    return one, other


def gone(*ends):
    for end in ends:
        end.cmd("shutdown")
        end.cmd("close")
        end.end()


def replayed(lab, name, server, token, confirm):
    """It is answered, and that opens nothing: who sent it has not the key that its maker was given."""
    answer = server.cmd("step", token)
    lab.expect(f"{name}: an answer, and no context", answer["major"] == 1 and answer["token"], answer)
    second = server.cmd("step", confirm)
    lab.expect(f"{name}: an earlier confirmation does not open it", second["major"] >= 1 << 16 and gss.says(second, "did not prove"), second)
    lab.expect(f"{name}: nothing can be unwrapped", server.cmd("wrap", 0, 1, gss.text("x"))["major"] >= 1 << 16)


def other_connection(lab):
    client, server = gss.peers(lab, port=7000)
    _, hello = first_hello(lab, client, server)
    _, other_server = gss.peers(lab, port=7001)
    answer = other_server.cmd("step", hello)
    lab.expect("on another connection: the wrong flow", answer["major"] >= 1 << 16 and gss.says(answer, "belongs to another connection"), answer)


def squatted(lab):
    """Mallory listens where the service will, and keeps what she gets there: B's broker vouches for her as for any user."""
    victim, squatter = on_same_ports(lab, 7002, 40000, server=MALLORY)
    _, stolen = first_hello(lab, victim, squatter)
    gone(victim, squatter)
    for name, restart in (("on the same ports later", False), ("after a restart of the broker", True)):
        if restart:
            lab.b.stop_broker()
            lab.b.broker(ike.broker_config(lab.b))
        friend, server = on_same_ports(lab, 7002, 40000, client=MALLORY)
        replayed(lab, name, server, stolen, "0501" + "5a" * 32)
        gone(friend, server)


def recorded(lab):
    """A whole exchange of the right ends, sent again on the same ports: also where only root can have listened."""
    client, server = on_same_ports(lab, 700, 40001)
    exchange = gss.context(lab, client, server)
    lab.expect("HELLO, REPLY, CONFIRM", len(exchange.tokens) == 3, len(exchange.tokens))
    gone(client, server)
    friend, server = on_same_ports(lab, 700, 40001, client=MALLORY)
    replayed(lab, "on the same privileged port later", server, exchange.tokens[0], exchange.tokens[2])


def run(lab):
    gss.brokers(lab)
    other_connection(lab)
    recorded(lab)
    squatted(lab)
