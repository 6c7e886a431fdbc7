# SPDX-License-Identifier: MIT
import ike
import status
from peer import connected


def run(lab):
    for host in (lab.a, lab.b):
        host.broker(ike.broker_config(host))
    client, server = lab.a.peer(), lab.b.peer()
    connected(lab, client, server)
    lab.expect("the broker serves without a daemon", status.code(status.of_peer(lab.a, client)) == "NO_POLICY")
    client.end(), server.end()
    for host in (lab.a, lab.b):
        ike.configure(host, ike.connection(host, "pubkey"))
        ike.start(host)
    client, server = lab.a.peer(), lab.b.peer()
    connected(lab, client, server, port=7001)
    said = lab.wait(lambda: (lambda s: s if s.get("peer_authenticated") else None)(status.of_peer(lab.a, client)), 10)
    lab.expect("the daemon is picked up", said and said["peer"]["id"] == "fqdn:server.example.org", said or status.of_peer(lab.a, client))
