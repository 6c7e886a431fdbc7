# SPDX-License-Identifier: MIT
import gss
from peer import Exchange

ALICE, CRAFTED = 2001, 2010


def crafted(lab):
    """A host's own accounts are its root's to name."""
    with open("/etc/passwd", "a") as passwd:
        passwd.write(f"root@EXAMPLE.ORG:x:{CRAFTED}:{CRAFTED}::/tmp:/bin/sh\n")
    client, server = gss.peers(lab, port=7002, client=CRAFTED)
    exchange = Exchange(client, server)
    exchange.run()
    name = server.cmd("inquire").get("source", "") if exchange.established else ""
    lab.expect("an account that reads as a principal is refused or escaped", "@" not in name, name)
    lab.expect("and told how", name == "ipsec:fqdn:client.example.org/root%40EXAMPLE.ORG", exchange.why + name)


def run(lab):
    gss.brokers(lab)
    client, server = gss.peers(lab, client=ALICE)
    gss.context(lab, client, server)
    name = server.cmd("inquire")["source"]
    lab.expect("the host vouches for its user", name == "ipsec:fqdn:client.example.org/alice", name)
    lab.expect("no map that cuts at '@' can make a principal of it", "@" not in name)
    crafted(lab)
    root_client, root_server = gss.peers(lab, port=7001)
    gss.context(lab, root_client, root_server)
    lab.expect("a privileged process is the host", root_server.cmd("inquire")["source"] == "ipsec:fqdn:client.example.org")
    lab.expect("and not its user", root_server.cmd("inquire")["source"] != name)
