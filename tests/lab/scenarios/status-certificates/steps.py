# SPDX-License-Identifier: MIT
import ike
import status
from peer import connected


def run(lab):
    for host in (lab.a, lab.b):
        host.broker(ike.broker_config(host))
    client, server = lab.a.peer(), lab.b.peer()
    connected(lab, client, server)
    for host, peer, local, remote in ((lab.a, client, "client", "server"), (lab.b, server, "server", "client")):
        said = status.settled(lab, host, peer)
        lab.need(f"{host.name}: one socket is told", "flow" in said, said)
        lab.expect(f"{host.name}: protected, by an authenticated peer", said["protected"] and said["peer_authenticated"], said)
        lab.expect(f"{host.name}: both ends are named", (said["local"]["id"], said["peer"]["id"]) == (f"fqdn:{local}.example.org", f"fqdn:{remote}.example.org"), said)
        lab.expect(f"{host.name}: by certificate, as the daemon says", said["peer"]["method"] == "certificate" and said["ike"] == {"connection": "c", "source": "vici"}, said)
    quiet = lab.a.run(["/run/bin/ipsec-gss", "status", "--pid", str(client.process.pid)])
    lab.expect("text for people", quiet.returncode == 0 and "server.example.org" in quiet.stdout and "certificate" in quiet.stdout, quiet.stdout)
