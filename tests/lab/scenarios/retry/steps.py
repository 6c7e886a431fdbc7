# SPDX-License-Identifier: MIT
import gss
import net
from peer import Exchange, flip


class Rekeying:
    """New SAs come before the old ones go, as with IKE."""

    def __init__(self, lab):
        self.lab, self.spis, self.count = lab, net.SPI, 0

    def __call__(self):
        old, self.count = self.spis, self.count + 1
        self.spis = {("A", "B"): 0x1000 + self.count, ("B", "A"): 0x2000 + self.count}
        for host in (self.lab.a, self.lab.b):
            net.sas(host, spis=self.spis)
        for host in (self.lab.a, self.lab.b):
            host.ip(*[f"xfrm state delete src {net.V4[source]} dst {net.V4[destination]} proto esp spi {spi:#x}" for (source, destination), spi in old.items()])


def run(lab):
    gss.brokers(lab)
    client, server = gss.peers(lab)
    rekey = Rekeying(lab)

    def attempt(name, change=lambda index, token: token):
        """Replaces the SAs once HELLO is made."""
        for end in (client, server):
            end.cmd("context", name)
        exchange = Exchange(client, server)

        def on_the_way(index, token):
            if index == 0:
                rekey()
            return change(index, token)
        return exchange, exchange.run(on_the_way)

    exchange, established = attempt("whole")
    lab.expect("a context on the new SAs", established, exchange.why)
    kinds = [token[:2] for token in exchange.tokens]
    lab.expect("by HELLO, RETRY, HELLO, REPLY, CONFIRM", kinds == ["60", "02", "01", "03", "05"], kinds)
    gss.deliver(lab, "on it", client, server, "after a rekey in mid-exchange")
    lengths = [len(token) // 2 for token in exchange.tokens]
    accepted = []
    for which, step in ((1, 1), (2, 16)):
        for at in range(0, lengths[which], step):
            flipped, established = attempt(f"{which}-{at}", lambda index, token: flip(token, at) if index == which else token)
            refused = not established and flipped.reasons and flipped.tokens[1][:2] == "02"
            accepted += [] if refused else [(which, at, flipped.why)]
    lab.expect("a flipped octet of RETRY or of the second HELLO is refused, and why is said", not accepted, accepted)
    lab.expect("the SAs were replaced each time", rekey.count == 1 + lengths[1] + -(-lengths[2] // 16), rekey.count)
