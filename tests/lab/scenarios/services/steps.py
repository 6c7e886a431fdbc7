# SPDX-License-Identifier: MIT
import gss
from peer import Exchange

POSTGRES, MALLORY = 2004, 2003
MAP = '[[service]]\nuser = "postgres"\nname = "postgres"\nport = 7001\n'


def attempt(lab, port, uid, target, before=[]):
    for peer in before:
        peer.end()
    before[:] = gss.peers(lab, port=port, server=uid)
    return Exchange(*before, target)


def run(lab):
    gss.brokers(lab, b=MAP)
    exchange = attempt(lab, 7001, POSTGRES, "postgres@server.example.org")
    lab.expect("the user of the line, on its port", exchange.run(), exchange.why)
    gss.refused(lab, "another user", attempt(lab, 7001, MALLORY, "postgres@server.example.org"), "may not use this service name")
    gss.refused(lab, "another port", attempt(lab, 7002, POSTGRES, "postgres@server.example.org"), "may not use this service name")
    gss.refused(lab, "another name", attempt(lab, 7001, POSTGRES, "host@server.example.org"), "may not use this service name")
    lab.b.write("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0")  # mallory may listen anywhere
    gss.refused(lab, "no line, whatever the port", attempt(lab, 389, MALLORY, "ldap@server.example.org"), "may not use this service name")
    exchange = attempt(lab, 7003, None, "ldap@server.example.org")
    lab.expect("root may use any", exchange.run(), exchange.why)
    exchange = attempt(lab, 7004, None, "ldap@server.example.org")
    named = exchange.server.cmd("cred", "accept", "socket=current", "name=host@server.example.org")
    lab.need("the acceptor has a credential for one service", named["major"] == 0, named)
    gss.refused(lab, "a credential for another service", exchange, "the acceptor's credential is for host")
