# SPDX-License-Identifier: MIT
import gss
import kerberos
from host import DESTROYS_SOCKETS
from peer import Exchange, connected

SWITCHED = [["offer", "channel"]] + [["channel", "channel"]] * 3
BOUND = [["kerberos", "kerberos"]] * 4


def run(lab):
    line = kerberos.program("skip")
    gss.brokers(lab, a=line, b=line)
    gss.peers(lab, port=6999)  # the first packet makes IKE negotiate, and kinit waits for no one
    kerberos.realm(lab)
    client, server = kerberos.peer(lab.a), kerberos.peer(lab.b)
    connected(lab, client, server)
    exchange = Exchange(client, server)
    lab.need("the context is established", exchange.run(), exchange.why)
    kinds = kerberos.conversation(lab, "over certificates", client, server)
    lab.expect("messages go by the channel where the kernel closes sockets", kinds == (SWITCHED if DESTROYS_SOCKETS else BOUND), kinds)
    said = lab.b.log("trace.0")
    lab.expect("bound to the channel", "bound to the channel" in said, said[-800:])
    lab.expect("the trace says why not", DESTROYS_SOCKETS or "it needs SOCK_DESTROY" in said, said[-800:])
    wire = lab.a.capture()
    for host in (lab.a, lab.b):
        host.ip("xfrm policy flush")
    if DESTROYS_SOCKETS:
        lab.expect("the kernel closes the socket", lab.wait(lambda: client.cmd("send", gss.text("octets past the library")).get("errno"), 6))
        stopped = client.cmd("wrap", 0, 1, gss.text("a secret for nobody"))
        lab.expect("and no token is made", stopped["major"] != 0 and not stopped.get("token"), stopped)
    else:
        token = client.cmd("wrap", 0, 1, gss.text("a secret for nobody"))["token"]
        lab.expect("Kerberos goes on protecting", token[:2] == "05" and client.cmd("send", token).get("sent"), token)
    lab.wait(lambda: False, 0.5)
    lab.expect("nothing in clear", not wire.clear_payload(b"secret for nobody") and not wire.clear_payload(b"past the library") and not wire.clear_segments(7000))
