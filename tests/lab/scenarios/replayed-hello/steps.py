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


def replayed(lab, name, server, token):
    """The token is never enough: it is answered by a challenge that only its maker can meet."""
    answer = server.cmd("step", token)
    lab.expect(f"{name}: no context, but a challenge", answer["major"] == 1 and answer["token"], answer)
    second = server.cmd("step", token)
    lab.expect(f"{name}: the same token does not meet it", second["major"] >= 1 << 16 and second["why"], second)


def other_connection(lab):
    client, server = gss.peers(lab, port=701)
    _, hello = first_hello(lab, client, server)
    _, other_server = gss.peers(lab, port=702)
    answer = other_server.cmd("step", hello)
    lab.expect("on another connection: the wrong flow", answer["major"] >= 1 << 16 and gss.says(answer, "belongs to another connection"), answer)


def relayed(lab):
    """Who carries the tokens of one connection to another gets a challenge, has it met, and is refused."""
    client, server = gss.peers(lab, port=7000)
    _, hello = first_hello(lab, client, server)
    _, other_server = gss.peers(lab, port=7001)
    challenge = other_server.cmd("step", hello)
    lab.expect("relayed to another connection: a challenge", challenge["major"] == 1 and len(challenge["token"]) == 68, challenge)
    second = client.cmd("init", challenge["token"], "flags=62")
    answer = other_server.cmd("step", second["token"])
    lab.expect("with the challenge met: the wrong flow", answer["major"] >= 1 << 16 and gss.says(answer, "belongs to another connection"), answer)


def squatted(lab):
    """Mallory listens where the service will, and keeps a HELLO that no broker of B has seen."""
    victim, squatter = on_same_ports(lab, 7002, 40000, server=MALLORY)
    _, stolen = first_hello(lab, victim, squatter)
    gone(victim, squatter)
    for name, restart in (("on the same ports later", False), ("after a restart of the broker", True)):
        if restart:
            lab.b.stop_broker()
            lab.b.broker(ike.broker_config(lab.b))
        friend, server = on_same_ports(lab, 7002, 40000, client=MALLORY)
        replayed(lab, name, server, stolen)
        gone(friend, server)


def privileged_port(lab):
    """Where only root can have listened the first HELLO is enough, once."""
    client, server = on_same_ports(lab, 700, 40001)
    exchange = gss.context(lab, client, server)
    lab.expect("a privileged port: HELLO, REPLY", len(exchange.tokens) == 2, len(exchange.tokens))
    gone(client, server)
    friend, server = on_same_ports(lab, 700, 40001, client=MALLORY)
    replayed(lab, "on the same privileged port later", server, exchange.tokens[0])


def run(lab):
    gss.brokers(lab)
    other_connection(lab)
    relayed(lab)
    privileged_port(lab)
    squatted(lab)
