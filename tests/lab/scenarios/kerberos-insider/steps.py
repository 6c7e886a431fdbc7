# SPDX-License-Identifier: MIT
# M knows the secret of the group and says to each end that it is the other.
import socket
from types import SimpleNamespace

import gss
import ike
import kerberos
import net
from middle import TO_A, TO_B, accepted, refused
from peer import connected

PAST, WRAPPED, PLAIN = "octets past the library", "a secret for nobody", "octets of a program without the plugin"
SECRET = "thirty-two octets of shared secret"


def connection(place, addresses, name="c"):
    """Of who stands in this place, "A" or "B"."""
    return ike.connection(SimpleNamespace(name=place), "psk", family=addresses, name=name, child="close_action = none")


def charon(host, *connections, local_id=None):
    ike.configure(host, "".join(connections), psk=SECRET, local_id=local_id)
    if host.charon in host.processes:
        ike.stop(host)
    ike.start(host)


def brokers(lab, use):
    for host in (lab.a, lab.b):
        if host.daemon:
            host.stop_broker()
        host.broker(ike.broker_config(host) + kerberos.program(use))


def between(lab):
    """SAs of each end with M, none between them."""
    charon(lab.a, connection("A", TO_A))
    charon(lab.b, connection("B", TO_B))
    charon(lab.host("M"), connection("B", TO_A, "a"), connection("A", TO_B, "b"), local_id=ike.IDS["B"])
    brokers(lab, "off")
    accepted(lab, 7000)
    peers = ike.swanctl(lab.a, "--list-sas").stdout
    lab.expect("A takes him for the server", f"remote '{ike.IDS['B']}' @ 10.1.0.254" in peers, peers)
    brokers(lab, "skip")
    wire = lab.a.capture()
    refused(lab, 7001)
    lab.expect("what he relayed was in ESP", wire.esp_count() > 0 and not wire.outside_esp(7001))


class Reader:
    """All TCP that arrives at a host as its own, out of ESP or not."""

    def __init__(self, host):
        def make():
            raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
            raw.setblocking(False)
            return raw
        self.raw, self.octets = host.inside(make), b""

    def read(self, text):
        while True:
            try:
                self.octets += self.raw.recv(65536)
            except BlockingIOError:
                return text.encode() in self.octets


def taken_over(lab):
    """Honest connections from end to end, one of them of programs without the plugin; then M has the server's address, and the group's secret."""
    middle = lab.host("M")
    ike.stop(middle)
    for host in (lab.a, lab.b, middle):
        host.ip("xfrm state flush", "xfrm policy flush")
    for host in (lab.a, lab.b):
        charon(host, connection(host.name, net.ROUTED))
    brokers(lab, "skip")
    ends = kerberos.peer(lab.a), kerberos.peer(lab.b)
    connected(lab, *ends, address=net.ROUTED["B"], port=7002)
    exchange = gss.context(lab, *ends)
    lab.expect("the initiator is alice", ends[1].cmd("inquire")["source"] == "alice@EXAMPLE.ORG", exchange.why)
    kinds = kerberos.conversation(lab, "honest", *ends)
    lab.expect("both ends switch", kinds[0] == ["offer", "channel"] and kinds[-1] == ["channel", "channel"], kinds)
    unaware = kerberos.peer(lab.a, {}), kerberos.peer(lab.b, {})
    connected(lab, *unaware, address=net.ROUTED["B"], port=7003)
    before = ike.installed_spis(lab.a)
    wire, client, his = lab.a.capture(), ends[0], Reader(middle)
    lab.b.ip("link set eth0 down")
    middle.ip(f"addr add {net.ROUTED['B']}/32 dev lo")
    charon(middle, connection("B", net.ROUTED), local_id=ike.IDS["B"])
    lab.need("he negotiates in the server's name", ike.initiate(middle).returncode == 0)
    fresh = lab.wait(lambda: ike.installed_spis(lab.a) - before, 5)
    lab.need("A has SAs with him, of the same addresses", fresh, (before, fresh))
    ike.swanctl(middle, "--list-sas")
    client.cmd("send", gss.text(PAST))
    lab.wait(lambda: False, 1.5)
    lab.expect("no ESP of his SAs leaves for the connection", not wire.esp_spis() & fresh, (wire.esp_spis(), fresh))
    stopped = gss.failed_wrap(lab, client, WRAPPED, 8)
    lab.expect("the latch is broken", stopped and gss.says(stopped, "the latch on this connection is broken"), stopped)
    lab.expect("and makes no token", not stopped.get("token"), stopped)
    lab.expect("nothing in clear", not wire.outside_esp(7002) and not wire.clear_payload(WRAPPED.encode()) and not wire.clear_payload(PAST.encode()))
    unaware[0].cmd("send", gss.text(PLAIN))
    lab.expect("a program without the plugin speaks to him, and he reads it", lab.wait(lambda: his.read(PLAIN), 5) and wire.esp_spis() & fresh, (wire.esp_spis(), fresh))
    lab.expect("of the other connection he has read nothing", not his.read(PAST) and not his.read(WRAPPED), his.octets[-400:])


def run(lab):
    kerberos.realm(lab)
    for host in (lab.a, lab.b):
        host.ip("xfrm state flush", "xfrm policy flush")
    between(lab)
    taken_over(lab)
