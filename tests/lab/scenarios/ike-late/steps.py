# SPDX-License-Identifier: MIT
import gss
import ike
import status
from peer import Exchange, connected


def run(lab):
    for host in (lab.a, lab.b):
        host.broker(ike.broker_config(host))
    client, server = lab.a.peer(), lab.b.peer()
    connected(lab, client, server)
    lab.expect("the broker serves without a daemon", status.code(status.of_peer(lab.a, client)) == "NO_POLICY")
    gss.refused(lab, "a context without a daemon", Exchange(client, server), "no IPsec policy covers this connection")
    client.end(), server.end()
    for host in (lab.a, lab.b):
        ike.configure(host, ike.connection(host, "pubkey"))
        ike.start(host)
    client, server = lab.a.peer(), lab.b.peer()
    connected(lab, client, server, port=7001)
    said = status.settled(lab, lab.a, client)
    lab.expect("the daemon is picked up", (said.get("peer") or {}).get("id") == "fqdn:server.example.org", said)
    lab.need("from both ends", status.settled(lab, lab.b, server).get("peer_authenticated"))
    gss.context(lab, client, server)
    gss.deliver(lab, "a message then", client, server, "hello")
