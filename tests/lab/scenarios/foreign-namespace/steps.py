# SPDX-License-Identifier: MIT
import net
import status
from host import ip
from peer import connected


def run(lab):
    lab.a.broker(net.static_identities(lab.a))
    stranger = lab.host("X")
    stranger.ip("link add eth0 type veth peer name eth1", "addr add 10.1.0.1/32 dev lo", "addr add 10.1.0.2/32 dev lo")
    stranger.socket = lab.a.socket
    peer = stranger.peer()
    peer.cmd("listen", "10.1.0.2", 7000)
    lab.need("connects in his own namespace", "fd" in peer.cmd("connect", "10.1.0.2", 7000))
    said = status.of_peer(stranger, peer)
    lab.expect("the broker of A refuses it", status.code(said) == "OTHER_NAMESPACE" and not said.get("protected"), said)
