# SPDX-License-Identifier: MIT
# M shares manual keys with A and with B; A takes M's address for the server's.
import gss
import kerberos
import net
from peer import Exchange, Peer, connected

TO_A = {"A": net.ROUTED["A"], "B": "10.1.0.254"}   # M in the server's place
TO_B = {"A": "10.2.0.254", "B": net.ROUTED["B"]}   # M in the client's place
OTHER_KEYS = {("A", "B"): "0x" + "33" * 32 + "c1c2c3c4", ("B", "A"): "0x" + "44" * 32 + "d1d2d3d4"}
OTHER_SPIS = {("A", "B"): 0x300, ("B", "A"): 0x400}


def tie(host, addresses, own, keys=None, spis=None):
    """SAs and policies of one end; `own` is its letter in `addresses`."""
    net.sas(host, addresses=addresses, keys=keys, spis=spis)
    other = addresses[net.PEER[own]]
    for direction, source, destination in (("out", addresses[own], other), ("in", other, addresses[own])):
        host.ip(f"xfrm policy add src {source} dst {destination} dir {direction} tmpl src {source} dst {destination} proto esp reqid 1 "
                "mode transport level required")


def broker(host, addresses, use):
    if host.daemon:
        host.stop_broker()
    host.broker(net.static_identities(host, exclusive=False, addresses=addresses) + kerberos.program(use))


class Middle:
    """Two gss_peer processes that speak no GSS: one takes A's connection, one makes B's."""

    def __init__(self, lab, client, server, port):
        self.taker, self.maker = Peer(lab.host("M")), Peer(lab.host("M"))
        connected(lab, client, self.taker, address="10.1.0.254", port=port)
        connected(lab, self.maker, server, address=net.ROUTED["B"], port=port)

    def relay(self, data, there=True):
        """What arrives at the other end of what was sent: he changes nothing."""
        came, goes = (self.taker, self.maker) if there else (self.maker, self.taker)
        goes.cmd("send", came.cmd("recv")["data"])


def attempt(lab, port, named):
    client, server = kerberos.peer(lab.a), kerberos.peer(lab.b)
    middle = Middle(lab, client, server, port)
    if named:
        lab.need("the server names its socket", server.cmd("thread")["major"] == 0)
    exchange = Exchange(client, server)

    def relayed(index, token):
        sender, receiver = (client, server) if index % 2 == 0 else (server, client)
        sender.cmd("send", token)
        middle.relay(token, index % 2 == 0)
        return receiver.cmd("recv")["data"]
    return client, server, exchange, exchange.run(relayed)


def run(lab):
    kerberos.realm(lab)
    middle = lab.host("M")
    for host in (lab.a, lab.b):
        host.ip("xfrm state flush", "xfrm policy flush")
    tie(lab.a, TO_A, "A")
    tie(middle, TO_A, "B")
    tie(lab.b, TO_B, "B", OTHER_KEYS, OTHER_SPIS)
    tie(middle, TO_B, "A", OTHER_KEYS, OTHER_SPIS)
    broker(lab.a, TO_A, "off")
    broker(lab.b, TO_B, "off")
    *_, exchange, established = attempt(lab, 7000, True)
    lab.expect("Kerberos alone accepts", established, exchange.why)
    broker(lab.a, TO_A, "skip")
    broker(lab.b, TO_B, "skip")
    client, server, exchange, established = attempt(lab, 7001, True)
    refused = exchange.second and exchange.second["major"] & 0x00ff0000 == kerberos.GSS_S_BAD_BINDINGS
    lab.expect("bound to the channel it refuses: GSS_S_BAD_BINDINGS", not established and refused, exchange.why)
    lab.expect("and no message can follow", server.cmd("wrap", 0, 1, gss.text("x"))["major"] != 0)
    client, server, exchange, established = attempt(lab, 7002, False)
    lab.expect("where the socket is only the sole one, the context is Kerberos'", established, exchange.why)
    again = kerberos.peer(lab.b).cmd("step", exchange.tokens[0])
    lab.expect("its token is in the replay cache", again["major"] != 0 and gss.says(again, "replay"), gss.why(again))
    kinds = [server.cmd("wrap", 0, 1, gss.text("a secret for alice"))["token"][:2] for _ in range(2)]
    lab.expect("and never switches", kinds == ["05", "05"], kinds)
