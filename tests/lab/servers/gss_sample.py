# SPDX-License-Identifier: MIT
"""gss-client and gss-server, MIT Kerberos' samples: the client's message goes wrapped, the server answers with a MIC."""
from servers.daemon import SERVER, USERS, Facts, running, serve

PROGRAM = "gss-client, gss-server"
PACKAGES = ("krb5-gss-samples",)
PORT = 7200
MESSAGE = "a message of gss-client"


def start(host, env=None):
    return serve(host, ["/usr/bin/gss-server", "-port", str(PORT), f"host@{SERVER}"], PORT, "gss-sample.log", env=env)


def run(lab, client=None, server=None):
    """`client` and `server` are what each end's environment has more."""
    with running(lab.b, start(lab.b, server)):
        done = lab.a.run(["/usr/bin/gss-client", "-port", str(PORT), "-mcount", "3", SERVER, f"host@{SERVER}", MESSAGE], env=client, uid=USERS["alice"])
        lab.wait(lambda: lab.b.log("gss-sample.log").count(MESSAGE) >= 3, 3)
    heard = lab.b.log("gss-sample.log")
    good = done.returncode == 0 and done.stdout.count("Signature verified") == 3 and heard.count(MESSAGE) >= 3
    user = heard.rsplit('Accepted connection: "', 1)[-1].split('"')[0]
    return Facts(good, user, "", done.stdout + done.stderr + heard[-1200:])
