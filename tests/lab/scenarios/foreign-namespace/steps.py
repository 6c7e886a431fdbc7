# SPDX-License-Identifier: MIT
import gss
import net
import status


def run(lab):
    lab.a.broker(net.static_identities(lab.a))
    stranger = lab.host("X")
    stranger.ip("link add eth0 type veth peer name eth1", "addr add 10.1.0.1/32 dev lo", "addr add 10.1.0.2/32 dev lo")
    stranger.socket = lab.a.socket
    net.sas(stranger)
    for source, destination in (("10.1.0.1", "10.1.0.2"), ("10.1.0.2", "10.1.0.1")):
        for direction in ("out", "in"):
            stranger.ip(f"xfrm policy add src {source} dst {destination} dir {direction} tmpl src {source} dst {destination} proto esp reqid 1 mode transport")
    peer = stranger.peer()
    peer.cmd("listen", "10.1.0.2", 7000)
    lab.need("connects in his own namespace", "fd" in peer.cmd("connect", "10.1.0.2", 7000))
    said = status.of_peer(stranger, peer)
    named = peer.cmd("cred", "initiate", "socket=current")
    lab.expect("no credential for it", named["major"] != 0 and gss.says(named, "another network namespace"), named)
    lab.expect("the broker of A refuses it", status.code(said) == "OTHER_NAMESPACE" and not said.get("protected"), said)
