# SPDX-License-Identifier: MIT
import gss
import net
import status
from peer import Exchange


def run(lab):
    gss.brokers(lab)
    client, server = gss.peers(lab)
    client.cmd("send", gss.text("in clear"))
    server.cmd("recv")
    for host in (lab.a, lab.b):
        net.sas(host)
        net.policies(host)
    said = lab.wait(lambda: (lambda s: s if s.get("protected") else None)(status.of_peer(lab.a, client)), 3)
    lab.need("protected now", said, said)
    lab.wait(lambda: False, 2.5)
    lab.expect("but not since it began", not status.of_peer(lab.a, client)["since_start"])
    gss.refused(lab, "mechanism ipsec", Exchange(client, server), "cannot be shown that this connection was protected since it began")
    client, server = gss.peers(lab, port=7001)
    gss.context(lab, client, server)
