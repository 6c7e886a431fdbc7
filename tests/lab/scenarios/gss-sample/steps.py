# SPDX-License-Identifier: MIT
import gss
from compatibility import ran
from host import MECHANISM

OID = "{ " + MECHANISM.replace(".", " ") + " }"


def run(lab):
    gss.brokers(lab)
    lab.b.popen(["/usr/bin/gss-server", "-port", "7000", "host@server.example.org"], log="gss-server.log")
    client = ["/usr/bin/gss-client", "-port", "7000", "-mech", OID]
    lab.wait(lambda: b"7000" in lab.b.run(["ss", "-tln"]).stdout.encode(), 5)
    failed = []
    for more in ([], ["-mcount", "20"], ["-nw"], ["-nx"], ["-ccount", "2"]):
        done = lab.a.run([*client, *more, "server.example.org", "host@server.example.org", "the message"])
        good = done.returncode == 0 and "rror" not in done.stdout + done.stderr and ("Signature verified" in done.stdout or "-nw" in more)
        failed += [] if good and "context flag: GSS_C_MUTUAL_FLAG" in done.stdout else [done]
    how = "-mech, no keytab; -mcount 20, -nw, -nx, -ccount 2"
    ran(lab, "gss-client, gss-server", ("krb5-gss-samples",), "ipsec", how, "messages and signatures", not failed,
        f"{failed} {lab.b.log('gss-server.log')[-800:]}")
    krb5 = lab.a.run(["/usr/bin/gss-client", "-port", "7000", "server.example.org", "host@server.example.org", "the message"])
    lab.expect("krb5, the default, still says that it has no ticket", "No Kerberos credentials available" in krb5.stdout + krb5.stderr, krb5.stdout + krb5.stderr)
