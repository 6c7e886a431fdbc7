# SPDX-License-Identifier: MIT
import gss
import net
from peer import Exchange

ANONYMOUS = (62 & ~2) | 64  # keys that others may hold authenticate nobody
OTHER = {("A", "B"): "0x" + "33" * 32 + "c1c2c3c4", ("B", "A"): "0x" + "44" * 32 + "d1d2d3d4"}
SPIS = {("A", "B"): 0x300, ("B", "A"): 0x400}
GMAC = "aead rfc4543(gcm(aes)) {key} 128"
NULL = GMAC  # RFC 4543: no encryption


def latched(lab, port, exclusive):
    for host in (lab.a, lab.b):
        host.broker(net.static_identities(host, exclusive=exclusive))
    client, server = gss.peers(lab, port=port)
    if exclusive:
        gss.context(lab, client, server)
    else:
        lab.need("the acceptor takes anybody", server.cmd("cred", "accept", "anonymous=allow")["major"] == 0)
        gss.context(lab, client, server, flags=ANONYMOUS)
    return client, server


def replace(lab, keys, spis, old, **options):
    """Other SAs with the same addresses and reqid."""
    for host in (lab.a, lab.b):
        net.sas(host, keys=keys, spis=spis, **options)
        host.ip(*[f"xfrm state delete src {net.V4[s]} dst {net.V4[d]} proto esp spi {spi:#x}" for (s, d), spi in old.items()])


def broken(lab, name, client):
    answer = gss.failed_wrap(lab, client, "for the first keys only", 4)
    lab.expect(f"{name}: the latch is broken", answer and gss.says(answer, "the latch on this connection is broken"), answer)
    lab.wait(lambda: False, 0.3)
    lab.expect(f"{name}: and stays broken", client.cmd("wrap", 0, 1, gss.text("x"))["major"] != 0)


def run(lab):
    client, server = latched(lab, 7000, exclusive=False)
    gss.deliver(lab, "before", client, server, "over the first SAs")
    wire = lab.a.capture()
    replace(lab, OTHER, SPIS, net.SPI)
    client.cmd("send", gss.text("octets past the library"))
    lab.expect("pinned: nothing arrives", "error" in server.cmd("recv", "wait=1.5"))
    lab.expect("pinned: no ESP with a new SPI leaves", not wire.esp_spis() & set(SPIS.values()), wire.esp_spis())
    lab.expect("pinned: nothing in clear", not wire.clear_segments(7000, bare=True) and not wire.clear_payload(b"past the library"))
    broken(lab, "pinned", client)
    other_client, other_server = gss.peers(lab, port=7001)
    other_client.cmd("send", gss.text("over the new SAs"))
    lab.expect("the new SAs work for others", "data" in other_server.cmd("recv") and wire.esp_spis() & set(SPIS.values()), wire.esp_spis())

    for host in (lab.a, lab.b):
        host.stop_broker()
    client, server = latched(lab, 7002, exclusive=True)
    wire.clear()
    replace(lab, net.KEYS, net.SPI, SPIS, algorithm=GMAC)
    broken(lab, "keys of one peer, weaker than latched", client)
    lab.expect("weaker: nothing in clear", not wire.clear_segments(7002, bare=True))
    null_encryption(lab, wire)
    same_names(lab, wire)


def begin_again(lab):
    for host in (lab.a, lab.b):
        host.stop_broker()
        host.ip("xfrm state flush")
        net.sas(host)


def null_encryption(lab, wire):
    """The next SAs encrypt nothing. The pin holds by itself; without one the library sends nothing more."""
    for port, exclusive in ((7003, False), (7004, True)):
        begin_again(lab)
        client, server = latched(lab, port, exclusive)
        wire.clear()
        replace(lab, OTHER, SPIS, net.SPI, algorithm=NULL)
        broken(lab, f"NULL encryption, {'one peer' if exclusive else 'pinned'}", client)
        if not exclusive:
            client.cmd("send", gss.text("octets past the library"))
            lab.expect("NULL encryption, pinned: nothing arrives", "error" in server.cmd("recv", "wait=0.5"))
            lab.expect("NULL encryption, pinned: no ESP with a new SPI leaves", not wire.esp_spis() & set(SPIS.values()), wire.esp_spis())
        lab.expect("NULL encryption: no payload octet, no clear segment",
                   not wire.clear_payload(b"for the first keys only") and not wire.clear_payload(b"past the library") and not wire.outside_esp(port))


def same_names(lab, wire):
    """Other keys under the same SPIs: the kernel's pin cannot tell, the broker can."""
    begin_again(lab)
    client, server = latched(lab, 7005, exclusive=False)
    wire.clear()
    for host in (lab.a, lab.b):
        host.ip(*[f"xfrm state delete src {net.V4[s]} dst {net.V4[d]} proto esp spi {spi:#x}" for (s, d), spi in net.SPI.items()])
        net.sas(host, keys=OTHER)
    broken(lab, "the same SPIs", client)
    lab.expect("the same SPIs: nothing in clear", not wire.outside_esp(7005) and not wire.clear_payload(b"for the first keys only"))
