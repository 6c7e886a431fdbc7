# SPDX-License-Identifier: MIT
# M shares manual keys with A and with B, and A takes M's address for the server's.
import api
import gss
import kerberos
import net
from peer import Exchange

TO_A, TO_B = {"A": net.ROUTED["A"], "B": "10.1.0.254"}, {"A": "10.2.0.254", "B": net.ROUTED["B"]}
OTHER_KEYS = {("A", "B"): "0x" + "33" * 32 + "c1c2c3c4", ("B", "A"): "0x" + "44" * 32 + "d1d2d3d4"}
OTHER_SPIS = {("A", "B"): 0x300, ("B", "A"): 0x400}


def tie(host, addresses, own, **options):
    """SAs and policies of one end; `own` is its letter in `addresses`."""
    net.sas(host, addresses=addresses, **options)
    other = addresses[net.PEER[own]]
    for direction, source, destination in (("out", addresses[own], other), ("in", other, addresses[own])):
        host.ip(f"xfrm policy add src {source} dst {destination} dir {direction} tmpl src {source} dst {destination} proto esp reqid 1 "
                "mode transport level required")


def kerberos_context(lab, client, server):
    """Whether Kerberos' context comes about when each end is bound to what the API says of its socket."""
    one, other = lab.a.peer(), lab.b.peer()
    for end, own, initiator in ((one, client, True), (other, server, False)):
        end.cmd("mech", kerberos.KRB5)
        end.cmd("bindings", own.value("bindings", initiator))
    exchange = Exchange(one, other)
    return exchange.run(), exchange


def honest(lab):
    client, server = api.peers(lab, address=net.ROUTED["B"])
    first = client.value("bindings", True)
    lab.expect("in the form of RFC 5056", bytes.fromhex(first).startswith(b"x-ipsec-exporter-v1:") and len(first) == 2 * 52, first)
    lab.expect("the types are listed", client.value("binding_types") == ["x-ipsec-exporter-v1"])
    lab.expect("equal at both ends", server.value("bindings", False) == first)
    lab.expect("not where both are initiators", server.value("bindings", True) != first)
    lab.expect("asking latched the socket", client.value("query")["latch"] == "established", client.value("query"))
    done, exchange = kerberos_context(lab, client, server)
    lab.expect("Kerberos' context comes about", done, exchange.why)
    lab.expect("and says that it is bound", "bound" in gss.flag_names(exchange.second["flags"]), exchange.second)
    others = api.peers(lab, address=net.ROUTED["B"], port=7001)
    lab.expect("another connection has others", others[0].value("bindings", True) != first)
    done, exchange = kerberos_context(lab, client, others[1])
    lab.expect("Kerberos refuses those of another connection", not done and exchange.second["major"] == kerberos.GSS_S_BAD_BINDINGS, exchange.why)


def in_the_middle(lab):
    middle = lab.host("M")
    client, server, taker, maker = (api.ApiPeer(host) for host in (lab.a, lab.b, middle, middle))
    for listener, talker, address in ((taker, client, "10.1.0.254"), (server, maker, net.ROUTED["B"])):
        listener.value("listen", address, 7002)
        talker.value("connect", address, 7002)
        listener.value("accept")
    lab.need("both ends are secured, by M", all(end.value("query")["secured"] for end in (client, server)))
    lab.expect("their bindings differ", client.value("bindings", True) != server.value("bindings", False))
    done, exchange = kerberos_context(lab, client, server)
    lab.expect("Kerberos refuses the man in the middle", not done and exchange.second["major"] == kerberos.GSS_S_BAD_BINDINGS, exchange.why)


def clear(lab, host):
    host.ip("xfrm state flush", "xfrm policy flush")
    if host.daemon:
        host.stop_broker()


def run(lab):
    kerberos.realm(lab)
    middle = lab.host("M")
    for host in (lab.a, lab.b):
        host.broker(net.static_identities(host, exclusive=False, addresses=net.ROUTED))
    honest(lab)
    for host in (lab.a, lab.b):
        clear(lab, host)
    tie(lab.a, TO_A, "A")
    tie(middle, TO_A, "B")
    tie(middle, TO_B, "A", keys=OTHER_KEYS, spis=OTHER_SPIS)
    tie(lab.b, TO_B, "B", keys=OTHER_KEYS, spis=OTHER_SPIS)
    lab.a.broker(net.static_identities(lab.a, exclusive=False, addresses=TO_A))
    lab.b.broker(net.static_identities(lab.b, exclusive=False, addresses=TO_B))
    in_the_middle(lab)
