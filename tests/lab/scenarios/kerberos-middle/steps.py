# SPDX-License-Identifier: MIT
# M shares manual keys with A and with B; A takes M's address for the server's.
import gss
import kerberos
import net
from middle import TO_A, TO_B, accepted, attempt, refused

OTHER_KEYS = {("A", "B"): "0x" + "33" * 32 + "c1c2c3c4", ("B", "A"): "0x" + "44" * 32 + "d1d2d3d4"}
OTHER_SPIS = {("A", "B"): 0x300, ("B", "A"): 0x400}


def tie(host, addresses, own, keys=None, spis=None):
    """SAs and policies of one end; `own` is its letter in `addresses`."""
    net.sas(host, addresses=addresses, keys=keys, spis=spis)
    other = addresses[net.PEER[own]]
    for direction, source, destination in (("out", addresses[own], other), ("in", other, addresses[own])):
        host.ip(f"xfrm policy add src {source} dst {destination} dir {direction} tmpl src {source} dst {destination} proto esp reqid 1 "
                "mode transport level required")


def broker(host, addresses, use):
    if host.daemon:
        host.stop_broker()
    host.broker(net.static_identities(host, exclusive=False, addresses=addresses) + kerberos.program(use))


def run(lab):
    kerberos.realm(lab)
    middle = lab.host("M")
    for host in (lab.a, lab.b):
        host.ip("xfrm state flush", "xfrm policy flush")
    tie(lab.a, TO_A, "A")
    tie(middle, TO_A, "B")
    tie(lab.b, TO_B, "B", OTHER_KEYS, OTHER_SPIS)
    tie(middle, TO_B, "A", OTHER_KEYS, OTHER_SPIS)
    broker(lab.a, TO_A, "off")
    broker(lab.b, TO_B, "off")
    accepted(lab, 7000)
    broker(lab.a, TO_A, "skip")
    broker(lab.b, TO_B, "skip")
    refused(lab, 7001)
    client, server, _, exchange, established = attempt(lab, 7002, False)
    lab.expect("where the socket is only the sole one, the context is Kerberos'", established, exchange.why)
    again = kerberos.peer(lab.b).cmd("step", exchange.tokens[0])
    lab.expect("its token is in the replay cache", again["major"] != 0 and gss.says(again, "replay"), gss.why(again))
    kinds = [server.cmd("wrap", 0, 1, gss.text("a secret for alice"))["token"][:2] for _ in range(2)]
    lab.expect("and never switches", kinds == ["05", "05"], kinds)
