# SPDX-License-Identifier: MIT
import gss
import net
from host import DESTROYS_SOCKETS


def run(lab):
    for host in (lab.a, lab.b):
        host.broker(net.static_identities(host, exclusive=False))
    client, server = gss.peers(lab)
    other, others_server = gss.peers(lab, port=7001)
    answer = client.cmd("latch")
    lab.need("one is latched, pinned to its SAs", answer["state"] == "established" and answer["shut"], answer)
    wire = lab.a.capture()
    lab.a.ip(*[f"xfrm state delete src {net.V4[s]} dst {net.V4[d]} proto esp spi {spi:#x}" for (s, d), spi in net.SPI.items()])
    lab.expect("its latch breaks", lab.wait(lambda: client.cmd("latched")["state"] == "broken", 4), client.cmd("latched"))
    if DESTROYS_SOCKETS:
        lab.expect("the kernel closes the socket", lab.wait(lambda: client.cmd("send", gss.text("x")).get("errno"), 4))
    net.sas(lab.a)  # of the same names: the pin alone would let them serve
    other.cmd("send", gss.text("from another socket"))
    lab.expect("a socket without a latch goes on", others_server.cmd("recv", "wait=8").get("data") == gss.text("from another socket"))
    answer = client.cmd("send", gss.text("octets for the first SAs"))
    if DESTROYS_SOCKETS:
        lab.expect("nothing is sent on the closed one", "errno" in answer and "error" in server.cmd("recv", "wait=0.5"), answer)
    lab.expect("it is not latched again", client.cmd("latch")["code"] != 0)
    lab.expect("nothing in clear", not wire.outside_esp(7000) and not wire.clear_payload(b"octets for the first SAs"))
    if not DESTROYS_SOCKETS:
        lab.expect("the broker holds the latch while the socket is open", lab.a.metric("latches") == 1, lab.a.metric("latches"))
    client.cmd("close")
    lab.expect("a closed socket has no latch", lab.wait(lambda: lab.a.metric("latches") == 0, 4), lab.a.metric("latches"))
    lab.expect("and the last word of its latch is why", client.cmd("latched")["state"] == "broken", client.cmd("latched"))
