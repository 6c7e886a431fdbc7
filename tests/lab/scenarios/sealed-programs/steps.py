# SPDX-License-Identifier: MIT
import gss
import kerberos
import net
from peer import Exchange

GMAC = "aead rfc4543(gcm(aes)) {key} 128"
SHORT = {("A", "B"): "0x" + "11" * 16 + "a1a2a3a4", ("B", "A"): "0x" + "22" * 16 + "b1b2b3b4"}
SECRET = "for the other end alone"


def line(seal, path="/run/bin/gss_peer", bits=128):
    return f'[[program]]\npath = "{path}"\nseal = "{seal}"\nmin-key-bits = {bits}\n'


def restart(lab, own):
    """B's administrator says nothing about the program: what comes is opened for what it is."""
    for host in (lab.a, lab.b):
        if host.daemon:
            host.stop_broker()
    gss.brokers(lab, a=own)


def kind_of(lab, name, sender, receiver, conf):
    return kerberos.send(lab, name, sender, receiver, SECRET, conf)


def judge(lab, seal, port, wanted, own=None, secret=False):
    """What A's messages are, asked for confidentiality and not; what B's are (as ever); and whether the text was to be seen."""
    restart(lab, line(seal) if own is None else own)
    wire = lab.a.capture()
    client, server = gss.peers(lab, port=port)
    exchange = gss.context(lab, client, server)
    name = f"{port}, {seal}"
    kinds = [kind_of(lab, f"{name}, conf {conf}", client, server, conf) for conf in (1, 0)]
    lab.expect(f"{name}: {wanted}", kinds == wanted, kinds)
    conceals = "conf" in gss.flag_names(exchange.first["flags"])
    lab.expect(f"{name}: the flag for confidentiality is {'not ' if secret is None else ''}there", conceals == (secret is not None), exchange.first)
    return client, server, wire


def of_messages(lab, name, ends, port):
    client, server = ends
    sealed = client.cmd("wrap", 1, 1, gss.text(SECRET))
    lab.expect(f"{name}: QOP 1 seals always", sealed["token"].startswith("12") and sealed["conf"] == 1, sealed)


def on_an_encrypting_channel(lab):
    for seal, port, wanted in (("always", 7000, ["sealed"] * 2), ("unless-confidential", 7001, ["channel"] * 2), ("never", 7002, ["channel"] * 2)):
        client, server, wire = judge(lab, seal, port, wanted)
        lab.expect(f"{seal}: ESP hides all of it", not wire.clear_payload(SECRET.encode()))
        of_messages(lab, seal, (client, server), port)
    judge(lab, "always", 7003, ["channel"] * 2, own=line("always", "/usr/bin/other"))


def other_sas(lab, **options):
    for host in (lab.a, lab.b):
        host.ip("xfrm state flush")
        net.sas(host, **options)


def on_a_channel_of_integrity_alone(lab):
    """ESP shows what is not sealed."""
    other_sas(lab, algorithm=GMAC)
    for seal, port, wanted, secret, seen in (("always", 7010, ["sealed"] * 2, True, False), ("unless-confidential", 7011, ["sealed", "channel"], True, True),
                                             ("never", 7012, ["channel"] * 2, None, True)):
        client, server, wire = judge(lab, seal, port, wanted, secret=secret)
        lab.expect(f"{seal}: the text is {'' if seen else 'not '}to be seen in ESP", bool(wire.clear_payload(SECRET.encode())) == seen)
        of_messages(lab, seal, (client, server), port)


def too_weak(lab):
    other_sas(lab, keys=SHORT)
    restart(lab, line("unless-confidential", bits=256))
    client, server = gss.peers(lab, port=7020)
    gss.refused(lab, "fewer bits than the line asks for", Exchange(client, server), "for this program")


def run(lab):
    for host in (lab.a, lab.b):
        net.sas(host)
        net.policies(host)
    on_an_encrypting_channel(lab)
    too_weak(lab)
    on_a_channel_of_integrity_alone(lab)
