# SPDX-License-Identifier: MIT
import json

import gss
from compatibility import ran
from servers.daemon import USERS
from servers.gss_python import FRAMED

MECH = FRAMED + """
import json, sys
mech = gssapi.OID.from_int_seq(sys.argv[1])
"""

CLIENT = MECH + """
s = socket.create_connection(("10.1.0.2", 7000))
creds = gssapi.Credentials(usage="initiate", mechs=[mech], store={"ipsec-socket": str(s.fileno())})
name = gssapi.Name("host@server.example.org", gssapi.NameType.hostbased_service)
ctx = gssapi.SecurityContext(name=name, creds=creds, mech=mech, usage="initiate")
token = None
while not ctx.complete:
    out = ctx.step(token)
    if out: send(out)
    if not ctx.complete: token = receive()
wrapped = ctx.wrap(b"from python", True)
send(wrapped.message)
send(ctx.get_signature(b"signed"))
print("initiator", ctx.initiator_name, "peer", ctx.target_name, "encrypted", wrapped.encrypted, int(ctx.actual_flags))
print("answer", ctx.unwrap(receive()).message.decode())
"""

SERVER = MECH + """
l = socket.create_server(("10.1.0.2", 7000))
print("listening", flush=True)
s, _ = l.accept()
creds = gssapi.Credentials(usage="accept", mechs=[mech], store={"ipsec-socket": str(s.fileno())})
ctx = gssapi.SecurityContext(creds=creds, usage="accept")
while not ctx.complete:
    out = ctx.step(receive())
    if out: send(out)
print("initiator", ctx.initiator_name, "message", ctx.unwrap(receive()).message.decode())
ctx.verify_signature(b"signed", receive())
send(ctx.wrap(b"well received", True).message)
print("signature good")
told = {(key if isinstance(key, str) else key.decode()).split(" ")[1]: value for key, value in ctx.initiator_name.attributes.items()}
print("attributes", json.dumps({name: [value.authenticated, *sorted(v.decode() for v in value.values)] for name, value in told.items()}))
"""

ATTRIBUTES = {"identity-type": "fqdn", "identity": "client.example.org", "user": "alice", "algorithms": "AES_GCM_16-256", "key-bits": "256",
              "integrity": "true", "confidentiality": "true", "replay-protection": "true", "authentication-method": "certificate",
              "certificate-alternative-name": "fqdn:client.example.org", "mode": "transport", "latched": "true", "protected-since-start": "true",
              "ike-connection": "c"}


def run(lab):
    from host import MECHANISM
    gss.brokers(lab)
    server = lab.b.popen(["/usr/bin/python3", "-c", SERVER, MECHANISM], log="python-server.log")
    lab.need("the server listens", lab.wait(lambda: "listening" in lab.b.log("python-server.log"), 15))
    done = lab.a.run(["/usr/bin/python3", "-c", CLIENT, MECHANISM], uid=USERS["alice"])
    server.wait(timeout=15)
    said = lab.b.log("python-server.log")
    ran(lab, "python3-gssapi, both ends", ("python3-gssapi",), "ipsec", "mech= and store={'ipsec-socket': ...}", "messages both ways",
        "answer well received" in done.stdout and "encrypted True" in done.stdout,
        done.stdout + done.stderr)
    lab.expect("the acceptor knows the peer and got the message", "initiator ipsec:fqdn:client.example.org/alice message from python" in said, said)
    lab.expect("the MIC verified", "signature good" in said, said)
    told = next((json.loads(line.removeprefix("attributes ")) for line in said.splitlines() if line.startswith("attributes ")), {})
    lab.expect("the peer's attributes are what IKE and the kernel say, and authenticated", told == {name: [True, value] for name, value in ATTRIBUTES.items()}, said)
