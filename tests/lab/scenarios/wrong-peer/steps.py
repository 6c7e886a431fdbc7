# SPDX-License-Identifier: MIT
import gss
from peer import Exchange


def run(lab):
    gss.brokers(lab)
    client, server = gss.peers(lab)
    for kind, target in (("hostbased", "host@other.example.org"), ("ipsec", "fqdn:other.example.org"), ("ipsec", "rfc822:root@server.example.org")):
        exchange = Exchange(client, server, target, kind)
        answer = client.cmd("init", "-", "flags=62")
        lab.expect(f"{target} is refused in the first call", answer["major"] != 0 and answer["major"] != 1 and gss.says(answer, "not the one that was asked for"), answer)
        lab.expect(f"{target}: no token", not answer["token"])
        client.cmd("delete")
    exchange = Exchange(client, server, "fqdn:server.example.org", "ipsec")
    lab.expect("the right typed name works", exchange.run(), exchange.why)
