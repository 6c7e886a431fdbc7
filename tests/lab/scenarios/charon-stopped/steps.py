# SPDX-License-Identifier: MIT
import ike
import status
from peer import connected


def run(lab):
    for host in (lab.a, lab.b):
        host.broker(ike.broker_config(host))
    client, server = lab.a.peer(), lab.b.peer()
    connected(lab, client, server)
    said = status.settled(lab, lab.a, client)
    lab.expect("authenticated before", said.get("peer_authenticated"), said)
    ike.stop(lab.a, kill=True)
    lab.wait(lambda: False, 0.5)
    said = status.of_peer(lab.a, client)
    lab.expect("the kernel's SA keeps the peer it had", said["protected"] and said["peer"]["id"] == "fqdn:server.example.org", said)
    lab.a.stop_broker()
    lab.a.broker(ike.broker_config(lab.a))
    said = status.of_peer(lab.a, client)
    lab.expect("a broker that starts now knows no peer", status.code(said) == "PEER_UNKNOWN" and not said["peer_authenticated"], said)
