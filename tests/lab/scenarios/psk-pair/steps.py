# SPDX-License-Identifier: MIT
import gss
import ike
from peer import Exchange

PAIR = {"A": '[[psk]]\nconnection = "c"\nheld-by = "fqdn:server.example.org"\n', "B": '[[psk]]\nconnection = "c"\nheld-by = "fqdn:client.example.org"\n'}


def run(lab):
    gss.brokers(lab, PAIR["A"], PAIR["B"])
    client, server = gss.peers(lab)
    gss.context(lab, client, server)
    lab.expect("the initiator has a name", server.cmd("inquire")["source"] == "ipsec:fqdn:client.example.org", server.cmd("inquire"))
    for host, config in ((lab.a, ""), (lab.b, "")):
        host.stop_broker()
        host.broker(ike.broker_config(host, config))
    client, server = gss.peers(lab, port=7001)
    gss.refused(lab, "a group's key", Exchange(client, server), "did not authenticate one single peer")
    lab.a.stop_broker()
    lab.a.broker(ike.broker_config(lab.a, PAIR["B"]))
    client, server = gss.peers(lab, port=7002)
    gss.refused(lab, "declared for somebody else", Exchange(client, server), "did not authenticate one single peer")
