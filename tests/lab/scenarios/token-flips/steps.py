# SPDX-License-Identifier: MIT
import gss
from peer import Exchange


def flip(token, at):
    octets = bytearray.fromhex(token)
    octets[at] ^= 0x40
    return octets.hex()


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
            failed = [a for a in (exchange.first, exchange.second) if a and a["major"] not in (0, 1)]
            if not done and not any(a["why"] for a in failed):
                silent.append((which, at, exchange.why))
            for end in (client, server):
                end.cmd("delete")
    lab.expect(f"none of {count} flipped tokens is accepted", not accepted, accepted)
    lab.expect("each failure has a reason", not silent, silent[:5])
    for end in (client, server):
        end.cmd("context", "after")
    gss.context(lab, client, server)
