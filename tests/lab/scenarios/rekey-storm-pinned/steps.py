# SPDX-License-Identifier: MIT
import signal

import gss
import ike
from traffic import Traffic
from vici import Vici

ANONYMOUS = (62 & ~2) | 64


def pinned(lab, port):
    client, server = gss.peers(lab, port=port)
    lab.need("the acceptor takes anybody", server.cmd("cred", "accept", "anonymous=allow")["major"] == 0)
    gss.context(lab, client, server, flags=ANONYMOUS)
    return client, server


def rekeyed(lab, name, client, server, words, times):
    daemon, before = Vici(lab.a), ike.installed_spis(lab.a)
    with Traffic(client, server) as traffic:
        for _ in range(times):
            lab.expect(f"{name}: charon does it", daemon.command("rekey", **words))
            seen = traffic.count
            lab.expect(f"{name}: messages go on", lab.wait(lambda: traffic.count > seen + 2 or traffic.failures, 15), traffic.count - seen)
    lab.expect(f"{name}: {traffic.count} messages, all arrive", not traffic.failures, traffic.failures)
    if "child" in words:
        lab.expect(f"{name}: there are other SAs", ike.installed_spis(lab.a) - before)


def reloaded(lab, client, server):
    """From whom the IKE_SAs descend outlives it."""
    with Traffic(client, server) as traffic:
        for host in (lab.a, lab.b):
            host.daemon.send_signal(signal.SIGHUP)
            lab.need(f"{host.name}: the configuration is read again", lab.wait(lambda: host.metric("reloads_total") == 1, 8), host.metric("reloads_total"))
        seen = traffic.count
        lab.expect("a reload: messages go on", lab.wait(lambda: traffic.count > seen + 6 or traffic.failures, 15), traffic.count - seen)
    lab.expect(f"a reload: {traffic.count} messages, all arrive", not traffic.failures, traffic.failures)
    lab.expect("a reload: no latch broke", lab.a.metric("latches_broken_total") == 0 and lab.b.metric("latches_broken_total") == 0)


def broken(lab, name, end):
    answer = lab.wait(lambda: (lambda w: w if w["major"] >> 16 else None)(end.cmd("wrap", 0, 1, gss.text("for the first keys only"))), 8)
    lab.expect(f"{name}: the latch is broken", answer and gss.says(answer, "the latch on this connection is broken"), answer)


def broker_restarted(lab, wire):
    """Keys that a broker did not see come are nobody's successors to it; the socket keeps what the former one set."""
    client, server = pinned(lab, 7001)
    lab.a.stop_broker(kill=True)
    lab.a.broker(ike.broker_config(lab.a))
    client.cmd("cred", "initiate")
    broken(lab, "a broker that did not see the keys come", client)
    client.cmd("send", gss.text("under the kernel's policy"))
    lab.expect("its socket keeps the former broker's policy", server.cmd("recv").get("data") == gss.text("under the kernel's policy"))
    lab.expect("and sends nothing in clear", not wire.clear_segments(7001, bare=True))


def another_ike_sa(lab, wire):
    client, server = pinned(lab, 7002)
    lab.need("the IKE_SA is ended", Vici(lab.a).command("terminate", ike="c"))  # the next packet brings another one
    broken(lab, "another IKE_SA", client)
    client.cmd("send", gss.text("octets past the library"))
    lab.expect("another IKE_SA: nothing arrives", "error" in server.cmd("recv", "wait=1"))
    lab.expect("nothing in clear", not wire.clear_segments(7002, bare=True) and not wire.clear_payload(b"past the library"))


def run(lab):
    gss.brokers(lab)
    client, server = pinned(lab, 7000)
    wire = lab.a.capture()
    rekeyed(lab, "CHILD_SAs", client, server, {"child": "t"}, 3)
    rekeyed(lab, "the IKE_SA", client, server, {"ike": "c"}, 1)
    rekeyed(lab, "CHILD_SAs of the new IKE_SA", client, server, {"child": "t"}, 1)
    reloaded(lab, client, server)
    lab.expect("no clear segment", not wire.clear_segments(7000, bare=True))
    lab.wait(lambda: len(ike.installed_spis(lab.a)) == 2, 12)  # a pin to an SA that is about to go is worth nothing
    broker_restarted(lab, wire)
    another_ike_sa(lab, wire)
