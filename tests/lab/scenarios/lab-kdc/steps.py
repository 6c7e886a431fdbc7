# SPDX-License-Identifier: MIT
import krb5

KRB5 = "{ 1 2 840 113554 1 2 2 }"


def run(lab):
    lab.b.kdc(users=["alice"], services=[(lab.b, "host/server.example.org")])
    server = lab.b.popen(["/usr/bin/gss-server", "-port", "7000", "host@server.example.org"], log="gss-server.log")
    lab.wait(lambda: ":1B58 00000000:0000 0A" in open(f"/proc/{server.pid}/net/tcp").read(), 10)

    def client():
        return lab.a.run(["/usr/bin/gss-client", "-port", "7000", "-mech", KRB5, "server.example.org", "host@server.example.org", "hello from the lab"])
    without = client()
    lab.expect("without a ticket there is no context", "Signature verified" not in without.stdout and "credentials" in without.stdout + without.stderr,
               without.stdout + without.stderr)
    got = krb5.ticket(lab.a, "alice")
    lab.need("alice gets a ticket", got.returncode == 0, got.stdout + got.stderr + lab.b.log("krb5kdc.log")[-800:])
    done = client()
    lab.expect("the server's signature verifies", "Signature verified" in done.stdout, done.stdout + done.stderr + lab.b.log("gss-server.log")[-800:])
    lab.wait(lambda: "hello from the lab" in lab.b.log("gss-server.log"), 3)
    said = lab.b.log("gss-server.log")
    lab.expect("the server knows alice and got the message", "alice@EXAMPLE.ORG" in said and "hello from the lab" in said, said)
