# SPDX-License-Identifier: MIT
import gss
import ike
import status
from traffic import Traffic, good


def sealed(client, server):
    """The quality of protection with which the next message goes."""
    client.cmd("send", client.cmd("wrap", 0, 1, gss.text("as before"))["token"])
    return server.cmd("unwrap", server.cmd("recv")["data"]).get("qop")


def no_clear(lab, name, wires):
    for wire in wires:
        lab.expect(f"{name}: no clear segment", not wire.clear_segments(7000, bare=True))


def run(lab):
    gss.brokers(lab)
    client, server = gss.peers(lab)
    gss.context(lab, client, server)
    wires = [lab.a.capture(), lab.b.capture()]
    ike.stop(lab.a, kill=True)
    gss.deliver(lab, "charon is gone, its SAs are not", client, server, "over the SAs that are left")
    lab.a.ip("xfrm state flush proto esp")  # as their lifetime would
    client.cmd("send", gss.text("waits for SAs"))
    lab.expect("without SAs nothing arrives", "error" in server.cmd("recv", "wait=1.5"))
    no_clear(lab, "gone", wires)
    lab.expect("and nothing leaves in clear", not any(w.clear_payload(b"waits for SAs") for w in wires))

    ike.configure(lab.a, ike.connection(lab.a, "pubkey", child="reqid = 77"))
    ike.start(lab.a)
    lab.need("another reqid", ike.initiate(lab.a).returncode == 0 and "reqid 77" in ike.state(lab.a))
    lab.need("the peer is known again", lab.wait(lambda: status.of_peer(lab.a, client).get("peer_authenticated"), 8), status.of_peer(lab.a, client))
    wire = wires[0]
    wire.clear()
    lab.expect("the socket waits for its owner", "error" in server.cmd("recv", "wait=1") and not wire.esp_count(), wire.esp_spis())
    latched = lab.wait(lambda: good(client.cmd("wrap", 0, 1, gss.text("x"))) and status.of_peer(lab.a, client).get("latch") == "established", 8)
    lab.expect("the library's next call latches it again", latched, (client.cmd("wrap", 0, 1, gss.text("x")), status.of_peer(lab.a, client)))
    lab.expect("what waited goes", server.cmd("recv", "wait=40").get("data") == gss.text("waits for SAs"))
    lab.expect("over the new SAs alone", wire.esp_spis() and wire.esp_spis() <= ike.installed_spis(lab.a), wire.esp_spis())
    with Traffic(client, server) as traffic:
        lab.wait(lambda: traffic.count > 10 or traffic.failures, 8)
    lab.expect(f"{traffic.count} messages both ways", traffic.count > 10 and not traffic.failures, traffic.failures)
    lab.expect("in the end by the channel", sealed(client, server) == 0)
    no_clear(lab, "back", wires)
