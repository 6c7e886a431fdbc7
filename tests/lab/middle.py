# SPDX-License-Identifier: MIT
"""A man in the middle, on host M of topology `routed`, who has SAs to both ends: A takes 10.1.0.254 for the server's address, B takes 10.2.0.254 for the
client's. He relays Kerberos' tokens as they are."""
import gss
import kerberos
import net
from peer import Exchange, Peer, connected

TO_A = {"A": net.ROUTED["A"], "B": "10.1.0.254"}   # M in the server's place
TO_B = {"A": "10.2.0.254", "B": net.ROUTED["B"]}   # M in the client's place


# Said without confidentiality, so that who relays it reads it; longer than all that TCP sends of its own accord.
WORDS = "the victim's own words, which nobody but the server of his choice may hear or see"
BARE = 100  # octets of ESP around a segment without data, at most


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

    def overhears(self, client, server):
        """Each end says WORDS, if it can: what of that he hears from the client, and from the server."""
        heard = []
        for end, his in ((client, self.taker), (server, self.maker)):
            token = end.cmd("wrap", 0, 0, gss.text(WORDS))["token"]
            if token:
                end.cmd("send", token)
            heard.append(bytes.fromhex(his.cmd("recv", "wait=1").get("data", "")))
        return heard


def data_on(wires):
    """ESP packets that carry more than TCP's own."""
    return sum(len(packet.payload) > BARE for wire in wires for packet in wire.packets() if packet.spi is not None)


def words(lab, client, server, middle):
    """What he hears of both ends' words, and the packets with data on the wires of both while they speak."""
    wires = [host.capture() for host in (lab.a, lab.b)]
    lab.wait(lambda: False, 0.3)  # what acknowledges the last token
    for wire in wires:
        wire.clear()
    return middle.overhears(client, server), data_on(wires), wires


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
    return client, server, middle, exchange, exchange.run(relayed)


def accepted(lab, port):
    """By Kerberos alone: he relays what the ends say, and hears it."""
    client, server, middle, exchange, established = attempt(lab, port, True)
    lab.need("Kerberos alone accepts", established, exchange.why)
    heard, data, _ = words(lab, client, server, middle)
    lab.expect("and he hears what both ends say", all(WORDS.encode() in each for each in heard) and data >= 2, (heard, data))


def refused(lab, port):
    """The same where both ends bind, and the server names its socket."""
    client, server, middle, exchange, established = attempt(lab, port, True)
    bad = exchange.second and exchange.second["major"] & 0x00ff0000 == kerberos.GSS_S_BAD_BINDINGS
    lab.expect("bound to the channel it refuses: GSS_S_BAD_BINDINGS", not established and bad, exchange.why)
    lab.expect("it answers with Kerberos' error and nothing else", kerberos.is_error(exchange.second["token"]), exchange.second)
    for name, end in (("server", server), ("client", client)):
        lab.expect(f"the {name} makes no message", end.cmd("wrap", 0, 1, gss.text("x"))["major"] != 0)
    heard, data, wires = words(lab, client, server, middle)
    lab.expect("and he hears nothing of either", heard == [b"", b""], heard)
    lab.expect("no packet with data follows, in ESP or in clear", data == 0 and not any(wire.outside_esp(port) or wire.clear_payload(WORDS.encode()) for wire in wires), data)
