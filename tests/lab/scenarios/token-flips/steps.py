# SPDX-License-Identifier: MIT
import gss
from peer import Exchange, flip


def run(lab):
    gss.brokers(lab)
    client, server = gss.peers(lab)
    honest = gss.context(lab, client, server)
    lengths = [len(token) // 2 for token in honest.tokens]
    lab.expect("HELLO, REPLY, CONFIRM", len(lengths) == 3, lengths)
    accepted, silent, count = [], [], 0
    for which, length in enumerate(lengths):
        for at in range(length):
            exchange = Exchange(client, server)
            for end in (client, server):
                end.cmd("context", f"{which}-{at}")
            done = exchange.run(lambda index, token: flip(token, at) if index == which and at < len(token) // 2 else token)
            count += 1
            if done:
                accepted.append((which, at))
            if not done and not exchange.reasons:
                silent.append((which, at, exchange.why))
            for end in (client, server):
                end.cmd("delete")
    lab.expect(f"none of {count} flipped tokens is accepted", not accepted, accepted)
    lab.expect("each failure has a reason", not silent, silent[:5])
    for end in (client, server):
        end.cmd("context", "after")
    gss.context(lab, client, server)
