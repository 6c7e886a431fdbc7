# SPDX-License-Identifier: MIT
import gss
import ike
import kerberos
from peer import Exchange, connected
from servers.daemon import USERS


def peers(lab, port, uid=None):
    """An end on A of this user, connected to one on B that names its connection."""
    client, server = kerberos.peer(lab.a, uid=uid), kerberos.peer(lab.b)
    connected(lab, client, server, port=port)
    lab.need(f"{port}: the server names its socket", server.cmd("thread")["major"] == 0)
    return client, server


def token_of(lab, client):
    exchange = Exchange(client, None)
    begun = client.cmd("init", "-", f"flags={exchange.flags}")
    lab.need("alice begins a context", begun["token"], gss.why(begun))
    return begun["token"]


def relayed(lab, name, port, uid, bound):
    """What `alice` made for her connection comes over another one."""
    alice, _ = peers(lab, port, USERS["alice"])
    thief, server = peers(lab, port + 1, uid)
    token = token_of(lab, alice)
    thief.cmd("send", token)
    got = server.cmd("step", server.cmd("recv")["data"])
    refused = got["major"] & 0x00ff0000 == kerberos.GSS_S_BAD_BINDINGS
    if not bound:
        lab.expect(f"{name}: Kerberos alone accepts", got["major"] == 0, gss.why(got))
        return
    lab.expect(f"{name}: GSS_S_BAD_BINDINGS, and no token but Kerberos' error", refused and kerberos.is_error(got["token"]), gss.why(got))
    lab.expect(f"{name}: no message follows", server.cmd("wrap", 0, 1, gss.text("x"))["major"] != 0)


def run(lab):
    kerberos.realm(lab)
    for host in (lab.a, lab.b):
        host.broker(ike.broker_config(host) + kerberos.program("off"))
    wanted = (("another connection of hers", USERS["alice"]), ("another user's connection", USERS["mallory"]))
    port = 7000
    for bound in (False, True):
        for name, uid in wanted:
            relayed(lab, name, port, uid, bound)
            port += 2
        if not bound:
            for host in (lab.a, lab.b):
                host.stop_broker()
                host.broker(ike.broker_config(host) + kerberos.program("skip"))
