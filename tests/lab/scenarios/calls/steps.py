# SPDX-License-Identifier: MIT
import gss
from host import MECHANISM

OID = "{ " + MECHANISM.replace(".", " ") + " }"
SEALED = "12"


def exported(lab):
    client, server = gss.peers(lab, port=7000)
    gss.context(lab, client, server)
    for peer in (client, server):
        left = peer.cmd("export")
        lab.need("exports", left["major"] == 0, gss.why(left))
        lab.expect("no name stands in the token", gss.text("example.org") not in left["token"])
        stranger = peer.host.peer()
        came = stranger.cmd("import", left["token"])
        lab.expect("a process without the connection gets nothing", gss.says(came, "does not hold the connection"), gss.why(came))
        peer.cmd("fork")
        came = peer.cmd("import", left["token"])
        lab.expect("another process that holds the connection goes on", came["major"] == 0, gss.why(came))
        again = peer.cmd("import", left["token"])
        lab.expect("a second time it is refused", gss.says(again, "imported before"), gss.why(again))
    gss.deliver(lab, "after the move", client, server, "the same context")
    gss.deliver(lab, "and back", server, client, "the same context", qop=1)
    other, end = gss.peers(lab, port=7004)
    gss.context(lab, other, end)
    left = client.cmd("export")
    lab.a.ip("xfrm policy flush")
    lab.wait(lambda: gss.says(other.cmd("wrap", 0, 1, gss.text("x")), "is broken"), 5)
    refused = other.cmd("export")
    lab.expect("without protection nothing is exported", gss.says(refused, "the latch on this connection is broken"), gss.why(refused))
    came = client.cmd("import", left["token"])
    lab.expect("without protection nothing is imported", gss.says(came, "no IPsec policy"), gss.why(came))


def attributes(lab):
    client, server = gss.peers(lab, port=7001)
    gss.context(lab, client, server)
    got = server.cmd("attributes")
    wanted = {"identity-type": "fqdn", "identity": "client.example.org", "authentication-method": "certificate", "mode": "transport", "latched": "true",
              "protected-since-start": "true", "certificate-alternative-name": "fqdn:client.example.org"}
    for name, value in wanted.items():
        lab.expect(f"{name} is {value}, authenticated", got.get(name) == value + "!", got)
    lab.expect("algorithms and key bits are told", got.get("algorithms") and int((got.get("key-bits") or "0!")[:-1]) >= 128, got)


def program_line(lab):
    path = lab.a.run(["readlink", "-f", "/run/bin/gss_peer"]).stdout.strip()
    lab.a.stop_broker()
    gss_config = f'[[program]]\npath = "{path}"\nseal = "always"\n'
    lab.b.stop_broker()
    gss.brokers(lab, a=gss_config)
    client, server = gss.peers(lab, port=7002)
    gss.context(lab, client, server)
    token = gss.deliver(lab, "sealed by the administrator's line", client, server, "not once in clear")["token"]
    lab.expect("the client's messages are encrypted in the token", token.startswith(SEALED) and gss.text("not once") not in token, token)
    token = gss.deliver(lab, "the server has no line", server, client, "in clear")["token"]
    lab.expect("the server's are not", not token.startswith(SEALED), token)


def third_party(lab):
    lab.b.popen(["/usr/bin/gss-server", "-port", "7003", "-export", "host@server.example.org"], log="gss-server.log")
    lab.wait(lambda: b"7003" in lab.b.run(["ss", "-tln"]).stdout.encode(), 5)
    done = lab.a.run(["/usr/bin/gss-client", "-port", "7003", "-mech", OID, "server.example.org", "host@server.example.org", "the message"])
    lab.expect("gss-server exports and imports its context three times", done.returncode == 0 and "Signature verified" in done.stdout,
               done.stdout + done.stderr + lab.b.log("gss-server.log")[-800:])


def run(lab):
    gss.brokers(lab)
    third_party(lab)
    attributes(lab)
    program_line(lab)
    exported(lab)
