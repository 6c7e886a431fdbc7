# SPDX-License-Identifier: MIT
import gss
import ike
from peer import Exchange

HOLDERS = {"A": "fqdn:server.example.org", "B": "fqdn:client.example.org"}
NOBODY = "did not authenticate one single peer"
SECRET = "thirty-two octets of shared secret"


def line(holder):
    return f'[[psk]]\nconnection = "c"\nheld-by = "{holder}"\n'


def brokers(lab, a="", b=""):
    for host, config in ((lab.a, a), (lab.b, b)):
        if host.daemon:
            host.stop_broker()
        host.broker(ike.broker_config(host, config))


def attempt(lab, port):
    return Exchange(*gss.peers(lab, port=port))


def principal(lab):
    """The peer's IKE identity is a mail address that reads as a Kerberos principal."""
    mail = "postgres@server.example.org"
    for host, ids in ((lab.a, {"local_id": mail}), (lab.b, {"remote_id": mail})):
        ike.configure(host, ike.connection(host, "psk", **ids), psk=SECRET)
        ike.load(host)
    ike.swanctl(lab.a, "--terminate", "--ike", "c")
    brokers(lab, line(HOLDERS["A"]), line("rfc822:" + mail))
    exchange = attempt(lab, 7003)
    lab.need("established", exchange.run(), exchange.why)
    name = exchange.server.cmd("inquire")["source"]
    lab.expect("an identity that reads as a principal is typed and escaped", name == "ipsec:rfc822:postgres%40server.example.org", name)


def run(lab):
    brokers(lab, line(HOLDERS["A"]), line(HOLDERS["B"]))
    exchange = attempt(lab, 7000)
    lab.need("established", exchange.run(), exchange.why)
    flags = gss.flag_names(exchange.first["flags"])
    lab.expect("with mutual authentication", "mutual" in flags and "anon" not in flags, flags)
    name = exchange.server.cmd("inquire")["source"]
    lab.expect("the initiator has a name", name == "ipsec:fqdn:client.example.org", name)
    gss.deliver(lab, "a message", exchange.client, exchange.server, "under a pair's key")
    brokers(lab)
    gss.refused(lab, "a group's key", attempt(lab, 7001), NOBODY)
    brokers(lab, line(HOLDERS["B"]), line(HOLDERS["B"]))
    gss.refused(lab, "declared for somebody else", attempt(lab, 7002), NOBODY)
    principal(lab)
