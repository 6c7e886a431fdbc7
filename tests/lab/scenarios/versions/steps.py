# SPDX-License-Identifier: MIT
import itertools

import gss
import ike
import kerberos
import krb5
from host import MECHANISM
from net import V4
from peer import Exchange, connected

OLD_BROKER, OLD_PLUGIN = "/run/bin/ipsec-gssd-1", "/run/bin/mech_ipsec-1.so"


def run(lab):
    for host in (lab.a, lab.b):
        with open(f"{host.directory}/old.conf", "w") as mech:
            mech.write(f"ipsec {MECHANISM} {OLD_PLUGIN}\n")
    realm(lab)
    port = itertools.count(7000)
    for old_broker in (False, True):
        start(lab, lab.a, old_broker)
        if lab.b.daemon is None:
            start(lab, lab.b, False)
        for old_client, old_server in ((True, False), (False, True), (True, True), (False, False)):
            name = f"{word(old_broker)} broker with {word(old_client)} plugin, new one with {word(old_server)}"
            client, server = peers(lab, next(port), old_client, old_server)
            gss.context(lab, client, server)
            gss.deliver(lab, name, client, server, "there")
            gss.deliver(lab, name, server, client, "and back")
        for client, server in ((lab.a, lab.b), (lab.b, lab.a)):
            over_kerberos(lab, next(port), client, server, old_broker)
        lab.a.stop_broker()
    upgraded(lab, next(port))


def upgraded(lab, port):
    """Contexts of an old plugin outlive the upgrade of their broker."""
    start(lab, lab.a, True)
    client, server = peers(lab, port, True, False)
    gss.context(lab, client, server)
    gss.deliver(lab, "before the upgrade", client, server, "one")
    lab.a.stop_broker()
    start(lab, lab.a, False)
    sent = gss.deliver(lab, "after the upgrade, over the new broker", client, server, "two")
    lab.expect("by the channel", gss.text("two") in sent["token"], sent)


def realm(lab):
    """A service and alice's ticket on each host."""
    lab.b.kdc(services=[(host, f"host/{ike.IDS[host.name]}") for host in (lab.a, lab.b)])
    for host in (lab.a, lab.b):
        got = krb5.ticket(host)
        lab.need(f"{host.name}: alice gets a ticket", got.returncode == 0, got.stdout + got.stderr)


def over_kerberos(lab, port, on_client, on_server, old_broker):
    """The interposer, which the plugin of before has not, where both hosts want Kerberos bound and the broker of one may be too old to be asked: then
    the context is Kerberos' alone."""
    name = f"Kerberos, {on_client.name} to {on_server.name}, {word(old_broker)} broker on A"
    client, server = kerberos.peer(on_client), kerberos.peer(on_server)
    connected(lab, client, server, address=V4[on_server.name], port=port)
    before = said_bound(on_server)
    exchange = Exchange(client, server, target=f"host@{ike.IDS[on_server.name]}")
    lab.need(f"{name}: a context", exchange.run(), exchange.why)
    user = server.cmd("inquire")["source"]
    lab.expect(f"{name}: of alice", user == "alice@EXAMPLE.ORG", user)
    kinds = kerberos.conversation(lab, name, client, server, 2)
    lab.expect(f"{name}: by Kerberos' tokens", kinds == [["kerberos", "kerberos"]] * 2, kinds)
    lab.expect(f"{name}: {'not ' if old_broker else ''}bound", said_bound(on_server) - before == (0 if old_broker else 1), on_server.log("trace.0")[-800:])


def said_bound(host):
    return host.log("trace.0").count("bound to the channel")


def start(lab, host, old):
    wanted = "" if old else kerberos.program("bind")
    host.broker(ike.broker_config(host) + wanted, program=OLD_BROKER if old else "/run/bin/ipsec-gssd")


def peers(lab, port, old_client, old_server):
    ends = [host.peer(env=plugin(host, old)) for host, old in ((lab.a, old_client), (lab.b, old_server))]
    connected(lab, *ends, address="10.1.0.2", port=port)
    return ends


def plugin(host, old):
    return {"GSS_MECH_CONFIG": f"{host.directory}/old.conf"} if old else None


def word(old):
    return "old" if old else "new"
