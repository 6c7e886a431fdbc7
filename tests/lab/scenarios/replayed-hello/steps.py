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


def replayed(lab, name, server, token, accepted):
    """The token is never enough: refused, or answered by a challenge that only its maker can meet."""
    answer = server.cmd("step", token)
    done = answer["major"] == 0
    lab.expect(f"{name}: does not make a context", not done, answer)
    if answer["major"] == 1:
        second = server.cmd("step", token)
        lab.expect(f"{name}: the same token again does not meet the challenge", second["major"] >= 1 << 16, second)


def run(lab):
    gss.brokers(lab)
    client, server = gss.peers(lab, port=7000)
    _, hello = first_hello(lab, client, server)
    other_client, other_server = gss.peers(lab, port=7001)
    answer = other_server.cmd("step", hello)
    lab.expect("on another connection: the wrong flow", answer["major"] >= 1 << 16 and gss.says(answer, "belongs to another connection"), answer)

    squatter = lab.b.peer(MALLORY)
    victim = lab.a.peer()
    squatter.cmd("listen", "10.1.0.2", 7002)
    victim.cmd("connect", "10.1.0.2", 7002, "port=40000")
    squatter.cmd("accept")
    _, stolen = first_hello(lab, victim, squatter)
    for end in (victim, squatter):
        end.cmd("shutdown")
        end.cmd("close")
        end.end()
    squatter_listener_gone = lab.wait(lambda: True, 0.2)
    lab.expect("the squatter leaves", squatter_listener_gone)
    for name, restart in (("on the same ports later", False), ("after a restart of the broker", True)):
        if restart:
            lab.b.stop_broker()
            lab.b.broker(ike.broker_config(lab.b))
        server, friend = lab.b.peer(), lab.a.peer(MALLORY)
        server.cmd("listen", "10.1.0.2", 7002)
        friend.cmd("connect", "10.1.0.2", 7002, "port=40000")
        lab.need(f"{name}: the friend has the victim's ports", "fd" in server.cmd("accept"))
        replayed(lab, name, server, stolen, False)
        for end in (friend, server):
            end.cmd("shutdown")
            end.end()
