# SPDX-License-Identifier: MIT
import itertools

import gss
import ike
from host import MECHANISM
from peer import connected

OLD_BROKER, OLD_PLUGIN = "/run/bin/ipsec-gssd-1", "/run/bin/mech_ipsec-1.so"


def run(lab):
    for host in (lab.a, lab.b):
        with open(f"{host.directory}/old.conf", "w") as mech:
            mech.write(f"ipsec {MECHANISM} {OLD_PLUGIN}\n")
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


def start(lab, host, old):
    host.broker(ike.broker_config(host), program=OLD_BROKER if old else "/run/bin/ipsec-gssd")


def peers(lab, port, old_client, old_server):
    ends = [host.peer(env=plugin(host, old)) for host, old in ((lab.a, old_client), (lab.b, old_server))]
    connected(lab, *ends, address="10.1.0.2", port=port)
    return ends


def plugin(host, old):
    return {"GSS_MECH_CONFIG": f"{host.directory}/old.conf"} if old else None


def word(old):
    return "old" if old else "new"
