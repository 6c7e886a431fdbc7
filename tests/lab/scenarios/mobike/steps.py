# SPDX-License-Identifier: MIT
import gss
import ike
import status
from traffic import Traffic, good

INNER = {"A": "10.9.0.1", "B": "10.9.0.2"}


def tunnels(lab):
    for host, peer in ((lab.a, "B"), (lab.b, "A")):
        host.ip(f"addr add {INNER[host.name]}/32 dev eth0", f"route add {INNER[peer]} dev eth0 src {INNER[host.name]}")
        host.write("/proc/sys/net/ipv4/conf/eth0/promote_secondaries", "1")
        connection = ike.connection(host, "pubkey", child=f"local_ts = {INNER[host.name]}/32\n  remote_ts = {INNER[peer]}/32")
        connection = connection.replace("mobike = no", "mobike = yes").replace("mode = transport", "mode = tunnel")
        if host is lab.a:
            connection = connection.replace(f"local_addrs = {ike.V4['A']}", "local_addrs = %any")
        else:
            connection = connection.replace("start_action = trap", "start_action = none")
        ike.configure(host, connection)
        ike.start(host)
    lab.need("the tunnel is up", ike.initiate(lab.a).returncode == 0)


def whole(lab, client, server):
    """Both ends call their library until their latches are whole."""
    ends = ((lab.a, client), (lab.b, server))
    return lab.wait(lambda: all(good(peer.cmd("wrap", 0, 1, gss.text("x"))) and status.of_peer(host, peer).get("latch") == "established"
                                for host, peer in ends), 8)


def run(lab):
    tunnels(lab)
    gss.brokers(lab)
    client, server = gss.peers(lab, address=INNER["B"], **{"from": INNER["A"]})
    gss.context(lab, client, server)
    gss.deliver(lab, "before", client, server, "from the first address")
    wires = [lab.a.capture(), lab.b.capture()]
    spis = ike.installed_spis(lab.a)
    lab.a.ip("addr add 10.1.0.3/24 dev eth0", "addr del 10.1.0.1/24 dev eth0")
    lab.need("IKE moves", lab.wait(lambda: "src 10.1.0.3 dst 10.1.0.2" in ike.state(lab.a) and "dst 10.1.0.3" in ike.state(lab.b), 15), ike.state(lab.a))
    lab.expect("the SAs keep their SPIs", ike.installed_spis(lab.a) == spis)
    client.cmd("send", gss.text("from nowhere, for a while"))
    lab.expect("both latches are made whole by the next calls", whole(lab, client, server), (status.of_peer(lab.a, client), status.of_peer(lab.b, server)))
    lab.expect("what waited arrives", server.cmd("recv", "wait=8").get("data") == gss.text("from nowhere, for a while"))
    with Traffic(client, server) as traffic:
        lab.wait(lambda: traffic.count > 10 or traffic.failures, 8)
    lab.expect(f"{traffic.count} messages both ways", traffic.count > 10 and not traffic.failures, traffic.failures)
    for wire in wires:
        lab.expect("no clear segment", not wire.clear_segments(7000, bare=True))
        lab.expect("nothing of it in clear", not wire.clear_payload(b"from nowhere"))
