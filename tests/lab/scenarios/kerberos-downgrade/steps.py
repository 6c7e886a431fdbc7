# SPDX-License-Identifier: MIT
# Keys that others may hold: latches are pinned, so that Kerberos may rest on them.
import gss
import kerberos
import net
from middle import data_on
from peer import Exchange, connected

SECRET = "a secret for nobody else"
OTHER = {("A", "B"): "0x" + "33" * 32 + "c1c2c3c4", ("B", "A"): "0x" + "44" * 32 + "d1d2d3d4"}
SPIS = {("A", "B"): 0x300, ("B", "A"): 0x400}
SWITCH = 2 * 42  # hexadecimal digits
PLAIN = [["kerberos", "kerberos"]] * 3


def peers(lab, port, client_env=None, server_env=None):
    client, server = kerberos.peer(lab.a, client_env), kerberos.peer(lab.b, server_env)
    connected(lab, client, server, port=port)
    exchange = Exchange(client, server)
    lab.need(f"{port}: the context is established", exchange.run(), exchange.why)
    return client, server


def switched(lab, port):
    ends = peers(lab, port)
    kinds = kerberos.conversation(lab, f"{port}", *ends)
    lab.need(f"{port}: both ends switch", kinds[-1] == ["channel", "channel"], kinds)
    return ends


def shown(wires, port):
    """Whether anything of the connection left in clear, or by the other SAs."""
    return any(wire.outside_esp(port) or wire.clear_payload(SECRET.encode()) or wire.esp_spis() & set(SPIS.values()) for wire in wires)


def unseen(lab, name, wires, port):
    lab.wait(lambda: False, 0.5)
    lab.expect(f"{name}: nothing in clear, nothing by other SAs", not shown(wires, port), [(wire.outside_esp(port), wire.esp_spis()) for wire in wires])


def stops(lab, name, wires, ends, port):
    """No end makes a message any more, what is sent past the library goes nowhere."""
    for end in ends:
        broken = gss.failed_wrap(lab, end, SECRET, 5)
        lab.expect(f"{name}: the latch is broken, no token", broken and gss.says(broken, "the latch on this connection is broken") and not broken["token"], broken)
        end.cmd("send", gss.text(SECRET))
    unseen(lab, name, wires, port)


def begin_again(lab):
    for host in (lab.a, lab.b):
        host.stop_broker()
        host.ip("xfrm state flush", "xfrm policy flush")
        net.sas(host)
        net.policies(host)
        host.broker(net.static_identities(host, exclusive=False) + kerberos.program("skip"))


def flush(lab):
    for host in (lab.a, lab.b):
        host.ip("xfrm policy flush")


def swap(lab):
    """Other SAs with the same addresses and reqid."""
    for host in (lab.a, lab.b):
        net.sas(host, keys=OTHER, spis=SPIS)
        host.ip(*[f"xfrm state delete src {net.V4[s]} dst {net.V4[d]} proto esp spi {spi:#x}" for (s, d), spi in net.SPI.items()])


def change_now(lab, wires, change):
    for wire in wires:
        wire.clear()
    change(lab)


def before_the_switch(lab, name, wires, change, port):
    """Kerberos protects, and no end goes over to the channel: not the server with an offer, nor the client to one that was made before. Where nothing is
    latched the wires show what is sent."""
    latched, late, plain = peers(lab, port), peers(lab, port + 1), peers(lab, port + 2, {}, {})
    offer = late[1].cmd("wrap", 0, 0, gss.text(SECRET))["token"]
    lab.need(f"{name} before the switch: the server would offer", offer[:2] == "14", offer)
    change_now(lab, wires, change)
    lab.wait(lambda: False, 1.0)
    tokens = [latched[1].cmd("wrap", 0, 0, gss.text(SECRET))["token"] for _ in range(2)]
    lab.expect(f"{name} before the switch: Kerberos protects, and nothing is offered", [t[:2] for t in tokens] == ["05", "05"], tokens)
    for token in tokens:
        latched[1].cmd("send", token)
    got = late[0].cmd("unwrap", offer)
    lab.expect(f"{name} before the switch: an offer of before is a message of Kerberos'", got["major"] == 0 and got["data"] == gss.text(SECRET), gss.why(got))
    answer = late[0].cmd("wrap", 0, 0, gss.text(SECRET))["token"]
    lab.expect(f"{name} before the switch: and not followed", answer[:2] == "05", answer)
    late[0].cmd("send", answer)
    for each in (port, port + 1):
        unseen(lab, f"{name} before the switch, {each}", wires, each)
    plain[1].cmd("send", plain[1].cmd("wrap", 0, 0, gss.text(SECRET))["token"])
    lab.expect(f"{name}: without the plugin it is seen", lab.wait(lambda: shown(wires, port + 2), 3), [wire.esp_spis() for wire in wires])


def databases(lab, wires):
    port = 7000
    for name, change in (("the SPD flushed", flush), ("the SAs swapped", swap)):
        ends = switched(lab, port)
        change_now(lab, wires, change)
        stops(lab, f"{name} after the switch", wires, ends, port)
        begin_again(lab)
        before_the_switch(lab, name, wires, change, port + 1)
        begin_again(lab)
        port += 4


def over(sender, receiver, token):
    """What arrives, over the wire, of what somebody puts into the connection."""
    sender.cmd("send", token)
    return receiver.cmd("recv")["data"]


def refused(lab, name, client, server, token, phrase):
    got = client.cmd("unwrap", over(server, client, token))
    lab.expect(f"{name}: refused, '{phrase}'", got["major"] != 0 and gss.says(got, phrase) and not got["data"], got)


def offers(lab, wires):
    """What a man in the middle can do to SWITCH itself; the connection's octets are his."""
    for wire in wires:
        wire.clear()
    client, server = peers(lab, 7010)
    offer = server.cmd("wrap", 0, 1, gss.text(SECRET))["token"]
    lab.need("the server offers", offer[:2] == "14", offer)
    got = client.cmd("unwrap", over(server, client, offer[SWITCH:]))
    lab.expect("taken away: the message is Kerberos'", got.get("data") == gss.text(SECRET), got)
    lab.expect("taken away: everything stays Kerberos'", kerberos.conversation(lab, "taken away", client, server, 3) == PLAIN)

    other_client, other_server = peers(lab, 7011)
    another = other_server.cmd("wrap", 0, 1, gss.text(SECRET))["token"]
    lab.need("another context's server offers, too", another[:2] == "14", another)
    refused(lab, "of another context", client, server, another[:SWITCH] + server.cmd("wrap", 0, 1, gss.text("x"))["token"], "not made by the acceptor")
    forged = another[:20] + "00" * 32 + another[SWITCH:]
    refused(lab, "forged", other_client, other_server, forged, "not made by the acceptor")
    lab.expect("forged: the client goes on with Kerberos", other_client.cmd("wrap", 0, 1, gss.text(SECRET))["token"][:2] == "05")
    other_client.cmd("unwrap", over(other_server, other_client, another))
    lab.expect("the genuine one is believed", other_client.cmd("wrap", 0, 1, gss.text("x"))["token"][:2] == "11")

    client, server = peers(lab, 7012, server_env={})
    plain = server.cmd("wrap", 0, 1, gss.text(SECRET))["token"]
    lab.expect("a server without the plugin speaks Kerberos", plain[:2] == "05", plain)
    for name, before in (("another context's", another[:SWITCH]), ("an invented", "14" + "01" + "00" * 8 + "aa" * 32)):
        refused(lab, f"a server without the plugin, {name} SWITCH in front", client, server, before + plain, "not made by the acceptor")
    channel = other_client.cmd("wrap", 0, 1, gss.text(SECRET))["token"]
    lab.need("a token of the channel shows its message", gss.text(SECRET) in channel, channel)
    refused(lab, "a server without the plugin, a channel token", client, server, channel, "the message relies on the channel")
    lab.expect("and the client speaks Kerberos", client.cmd("wrap", 0, 1, gss.text(SECRET))["token"][:2] == "05")
    lab.expect("all that was on the wire", data_on(wires) >= 2 * (6 + 6), data_on(wires))  # at both hosts
    for port in (7010, 7011, 7012):
        unseen(lab, "SWITCH", wires, port)


def run(lab):
    kerberos.realm(lab)
    for host in (lab.a, lab.b):
        host.broker(net.static_identities(host, exclusive=False) + kerberos.program("skip"))
    wires = [lab.a.capture(), lab.b.capture()]
    databases(lab, wires)
    offers(lab, wires)
