# SPDX-License-Identifier: MIT
import kerberos
from peer import Exchange, connected


def run(lab):
    kerberos.realm(lab)
    for host in (lab.a, lab.b):
        host.broker(kerberos.program("skip"))
    client, server = kerberos.peer(lab.a), kerberos.peer(lab.b)
    connected(lab, client, server)
    exchange = Exchange(client, server)
    lab.need("the context is established", exchange.run(), exchange.why)
    lab.expect("the initiator is alice", server.cmd("inquire")["source"] == "alice@EXAMPLE.ORG")
    kinds = kerberos.conversation(lab, "in clear", client, server)
    lab.expect("every message is Kerberos'", kinds == [["kerberos", "kerberos"]] * 4, kinds)
    for host in (lab.a, lab.b):
        host.stop_broker()
    client, server = kerberos.peer(lab.a), kerberos.peer(lab.b)
    connected(lab, client, server, port=7001)
    exchange = Exchange(client, server)
    lab.need("and without brokers", exchange.run(), exchange.why)
    kinds = kerberos.conversation(lab, "without brokers", client, server)
    lab.expect("every message is Kerberos', too", kinds == [["kerberos", "kerberos"]] * 4, kinds)
