# SPDX-License-Identifier: MIT
import gss
from peer import Exchange

ALICE = 2001


def run(lab):
    gss.brokers(lab)
    client, server = gss.peers(lab, client=ALICE)
    gss.context(lab, client, server)
    name = server.cmd("inquire")["source"]
    lab.expect("the host vouches for its user", name == "ipsec:fqdn:client.example.org/alice", name)
    lab.expect("no map that cuts at '@' can make a principal of it", "@" not in name)
    root_client, root_server = gss.peers(lab, port=7001)
    gss.context(lab, root_client, root_server)
    lab.expect("a privileged process is the host", root_server.cmd("inquire")["source"] == "ipsec:fqdn:client.example.org")
    lab.expect("and not its user", root_server.cmd("inquire")["source"] != name)
