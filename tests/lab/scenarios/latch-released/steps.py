# SPDX-License-Identifier: MIT
import gss
import net
import status

PORTS = {"word given back": 7000, "taken away": 7001, "held by a context": 7002}


def sas_deleted(lab, client, server, wire):
    """The peer is authenticated, so nothing but time stands between the socket and its next SAs."""
    for host in (lab.a, lab.b):
        host.ip("xfrm state flush")
    lab.expect("without SAs the latch is stale", lab.wait(lambda: client.cmd("latched")["state"] == "stale", 3), client.cmd("latched"))
    client.cmd("send", gss.text("octets that wait"))
    lab.expect("nothing arrives", "error" in server.cmd("recv", "wait=0.7"))
    lab.expect("nothing leaves", not wire.outside_esp(7000) and not wire.clear_payload(b"octets that wait"))
    said = status.of_peer(lab.a, client)
    lab.expect("status: not protected, control packets are", not said["protected"] and said["control_packets_protected"], said)
    for host in (lab.a, lab.b):
        net.sas(host)
    lab.expect("with SAs again they arrive over ESP", server.cmd("recv", "wait=8").get("data") == gss.text("octets that wait"))
    lab.expect("and it is established again", lab.wait(lambda: client.cmd("latched")["state"] == "established", 3))


def run(lab):
    gss.brokers(lab)
    ends = {name: gss.peers(lab, port=port, client=2001) for name, port in PORTS.items()}
    for name in ("word given back", "taken away"):
        lab.need(f"{name}: latched", ends[name][0].cmd("latch")["state"] == "established")
        for end in ends[name][1:]:
            lab.need(f"{name}: the server's end too", end.cmd("latch")["state"] == "established")
    wire = lab.a.capture()
    sas_deleted(lab, *ends["word given back"], wire)

    client, server = ends["held by a context"]
    gss.context(lab, client, server)
    lab.expect("a context holds the latch", client.cmd("unlatch")["name"] == "LATCH_IN_USE")
    client.cmd("delete")
    lab.expect("which goes with it", lab.wait(lambda: client.cmd("unlatch")["code"] == 0, 3))
    lab.expect("once", client.cmd("unlatch")["name"] == "NO_LATCH")

    ends["word given back"][0].cmd("unhold")
    for end in ends["taken away"]:
        lab.need("taken away: by its setter", end.cmd("unlatch")["code"] == 0)
    lab.a.ip("xfrm policy flush")
    lab.b.ip("xfrm policy flush")
    for name, (client, server) in ends.items():
        if name != "held by a context":
            client.cmd("send", gss.text(name))
            lab.expect(f"{name}: it arrives", server.cmd("recv").get("data") == gss.text(name))
    lab.expect("RELEASE: the kernel's latch stays until the socket closes", not wire.outside_esp(7000) and not wire.clear_payload(b"word given back"))
    lab.expect("UNLATCH: it is gone from the kernel", wire.clear_payload(b"taken away"))
    said = status.of_peer(lab.a, ends["word given back"][0])
    lab.expect("status: broken, control packets unprotected", said["latch"] == "broken" and not said["control_packets_protected"], said)
    text = lab.a.run(["/run/bin/ipsec-gss", "status", "--pid", str(ends["word given back"][0].process.pid)]).stdout
    lab.expect("and says so", "control packets unprotected" in text, text)
