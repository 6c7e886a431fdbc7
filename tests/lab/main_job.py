# SPDX-License-Identifier: MIT
"""The main job between A and B, whatever protects them: context, names, flags, messages both ways, what the wire shows."""
import gss
import status


def run(lab, address="10.1.0.2"):
    gss.brokers(lab)
    wire = lab.a.capture()
    client, server = gss.peers(lab, address=address)
    exchange = gss.context(lab, client, server)
    flags = gss.flag_names(exchange.first["flags"])
    lab.expect("flags of the initiator", {"mutual", "replay", "sequence", "conf", "integ"} <= flags and "anon" not in flags, flags)
    for name, answer in (("initiator", client.cmd("inquire")), ("acceptor", server.cmd("inquire"))):
        lab.expect(f"{name}: the initiator's name", answer["source"] == "ipsec:fqdn:client.example.org", answer)
        lab.expect(f"{name}: the acceptor's name", answer["target"] in ("ipsec:fqdn:server.example.org", "host@server.example.org"), answer)
    wrapped = gss.deliver(lab, "initiator to acceptor", client, server, "a secret that is encrypted once")
    lab.expect("the token carries the message as it is: not encrypted twice", gss.text("a secret that is encrypted once") in wrapped["token"])
    lab.expect("and claims confidentiality", wrapped["conf"] == 1, wrapped)
    gss.deliver(lab, "acceptor to initiator", server, client, "a secret that is encrypted once")
    sealed = gss.deliver(lab, "both layers", client, server, "a secret that is encrypted once", qop=1)
    lab.expect("QOP 1 encrypts in the token too", gss.text("encrypted once") not in sealed["token"])
    mic = client.cmd("mic", gss.text("signed"))
    lab.expect("a MIC verifies", server.cmd("verify", gss.text("signed"), mic["token"])["major"] == 0, gss.why(mic))
    lab.expect("of this message only", server.cmd("verify", gss.text("signeD"), mic["token"])["major"] != 0)
    lab.expect("on the wire there is ESP", len(wire.esp_spis()) == 2)
    lab.expect("and no secret in clear", not wire.clear_payload(b"encrypted once") and not wire.clear_segments(7000, bare=True))
    said = status.of_peer(lab.a, client)
    lab.expect("the socket is latched", said["latch"] == "established", said)
    client.cmd("close")
    lab.expect("closing reaches the peer at once: the broker keeps no descriptor", server.cmd("recv", "wait=2").get("data") == "")
