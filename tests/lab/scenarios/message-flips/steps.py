# SPDX-License-Identifier: MIT
import gss

DUPLICATE, OLD, UNSEQ, GAP = 2, 4, 8, 16


def flips(token, count):
    for at in range(count):
        octets = bytearray.fromhex(token)
        octets[at] ^= 1
        yield at, octets.hex()


def run(lab):
    gss.brokers(lab)
    client, server = gss.peers(lab)
    gss.context(lab, client, server)
    channel = client.cmd("wrap", 0, 1, gss.text("in the channel"))["token"]
    sealed = client.cmd("wrap", 1, 1, gss.text("in the token"))["token"]
    mic = client.cmd("mic", gss.text("signed"))["token"]
    header = len(channel) // 2 - len("in the channel")
    for name, token, count, judge in (("QOP 0 header", channel, header, lambda t: server.cmd("unwrap", t)), ("QOP 1", sealed, len(sealed) // 2, lambda t: server.cmd("unwrap", t)),
                                      ("MIC", mic, len(mic) // 2, lambda t: server.cmd("verify", gss.text("signed"), t))):
        good = [at for at, changed in flips(token, count) if judge(changed)["major"] < 1 << 16]
        lab.expect(f"{name}: no flip of {count} octets is accepted", not good, good)
        short = [n for n in range(1, len(token) // 2) if judge(token[:2 * n])["major"] < 1 << 16]
        lab.expect(f"{name}: no truncation is accepted", not short, short)
        lab.expect(f"{name}: reflected to its sender, refused", (client.cmd("verify", gss.text("signed"), token) if name == "MIC" else client.cmd("unwrap", token))["major"] >= 1 << 16)
        lab.expect(f"{name}: the unchanged one is accepted", judge(token)["major"] < 1 << 16)
        again = judge(token)
        lab.expect(f"{name}: a second time it is a duplicate", again["major"] & (DUPLICATE | OLD), again)
    other_client, other_server = gss.peers(lab, port=7001)
    gss.context(lab, other_client, other_server)
    foreign = other_client.cmd("wrap", 0, 1, gss.text("x"))["token"]
    lab.expect("a token of another context is refused", server.cmd("unwrap", foreign)["major"] >= 1 << 16)
