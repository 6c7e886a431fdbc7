# SPDX-License-Identifier: MIT
# What `./dev demo` shows; lab.say() is for its reader, the assertions are for the check.
import gss
import ike
import status
from host import MECHANISM

MESSAGE = "the launch code is 8121"
OID = "{ " + MECHANISM.replace(".", " ") + " }"


def start_server(lab, port):
    server = lab.b.popen(["/usr/bin/gss-server", "-port", str(port), "host@server.example.org"], log="gss-server.log")
    lab.wait(lambda: f":{port:04X} 00000000:0000 0A" in open(f"/proc/{server.pid}/net/tcp").read(), 10)
    return server


def client(lab, port):
    return lab.a.run(["/usr/bin/gss-client", "-port", str(port), "-mech", OID, "server.example.org", "host@server.example.org", MESSAGE])


def quote(lab, text):
    for line in text.strip().splitlines():
        lab.say("    | " + line)


def run(lab):
    lab.say("Two hosts on one cable: client.example.org (10.1.0.1) and server.example.org (10.1.0.2). Both run strongSwan with\n"
            "certificates and ipsec-gssd, the broker that tells programs what protects their sockets. Nobody runs Kerberos.\n")
    gss.brokers(lab)
    lab.say("1. A TCP connection between them makes strongSwan negotiate ESP. What protects it, and who is there?\n"
            "   $ ipsec-gss status --pid <the client>")
    one, other = gss.peers(lab, port=6999)
    status.settled(lab, lab.a, one)
    told = lab.a.run(["/run/bin/ipsec-gss", "status", "--pid", str(one.process.pid)])
    quote(lab, told.stdout)
    lab.expect("status tells the peer", "server.example.org" in told.stdout and told.returncode == 0, told.stdout + told.stderr)

    lab.say("\n2. Debian's gss-server and gss-client, as they are, authenticate over such a connection with mechanism `ipsec`:\n"
            f"   $ gss-client -mech \"{OID}\" server.example.org host@server.example.org \"{MESSAGE}\"")
    wire = lab.a.capture()
    start_server(lab, 7000)
    done = client(lab, 7000)
    quote(lab, done.stdout)
    lab.expect("the context is established and the server's signature verifies", "Signature verified" in done.stdout, done.stdout + done.stderr + lab.b.log("gss-server.log"))
    lab.expect("the client sees both names", "ipsec:fqdn:client.example.org" in done.stdout, done.stdout)
    lab.wait(lambda: MESSAGE in lab.b.log("gss-server.log"), 3)
    lab.say("   and the server says:")
    quote(lab, lab.b.log("gss-server.log"))
    lab.expect("the server got the message from the right host", "ipsec:fqdn:client.example.org" in lab.b.log("gss-server.log") and MESSAGE in lab.b.log("gss-server.log"),
               lab.b.log("gss-server.log"))

    packets = wire.packets()
    esp = [p for p in packets if p.spi is not None]
    lab.say(f"\n3. On the cable: {len(esp)} ESP packets of SPIs {', '.join(f'{s:#010x}' for s in sorted(wire.esp_spis()))}, "
            f"{len(wire.clear_segments(7000, bare=True))} clear segments of this connection, the message readable in {len(wire.clear_payload(MESSAGE.encode()))} packets.")
    if esp:
        lab.say("   One of them, as a wiretapper sees it: " + max(esp, key=lambda p: len(p.payload)).payload[:48].hex(" ", 4) + " ...")
    lab.expect("ESP on the wire", esp)
    lab.expect("the message is not readable", not wire.clear_payload(MESSAGE.encode()) and not wire.clear_segments(7000, bare=True))

    wrapped = one_token(lab)
    lab.say("\n4. And it was encrypted once, not twice: inside the ESP packet the GSS token carries it as it is, behind a header with a MAC:\n"
            f"   {wrapped}")

    lab.say("\n5. The same with IPsec off (strongSwan stopped on both hosts, policies and SAs gone):")
    for host in (lab.a, lab.b):
        ike.stop(host)
        host.ip("xfrm policy flush", "xfrm state flush")
    refused = client(lab, 7000)
    quote(lab, refused.stdout + refused.stderr)
    plain = lab.a.peer()
    plain.cmd("connect", "10.1.0.2", 6999)
    named = plain.cmd("cred", "initiate", "socket=current")
    lab.say("   A program that names its socket is told why:")
    quote(lab, named["why"])
    said = refused.stdout + refused.stderr
    lab.expect("without IPsec there is no context, says GSS-API", "Signature verified" not in said and "GSS-API error" in said, said)
    lab.expect("the reason is told", "no IPsec policy covers this connection" in named["why"], named)


def one_token(lab):
    client_end, server_end = gss.peers(lab, port=6998)
    gss.context(lab, client_end, server_end)
    token = client_end.cmd("wrap", 0, 1, gss.text(MESSAGE))["token"]
    lab.expect("the token carries the message as it is", gss.text(MESSAGE) in token, token)
    wire = lab.a.capture()
    client_end.cmd("send", token)
    lab.expect("it arrives as it is", server_end.cmd("recv").get("data") == token)
    lab.expect("and went as ESP", wire.esp_count() > 0 and not wire.clear_payload(MESSAGE.encode()) and not wire.clear_segments(6998, bare=True))
    header = len(token) // 2 - len(MESSAGE)
    return f"[{header} octets: type, direction, sequence, length, MAC] {bytes.fromhex(token)[header:].decode()}"
