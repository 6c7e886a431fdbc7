# SPDX-License-Identifier: MIT
"""Cyrus SASL's sample programs. They speak on stdin and stdout; a relay on each host carries that over TCP and hands its socket down,
as inetd does, so that each program has one connection to the other host."""
from pathlib import Path

from servers.daemon import SERVER, USERS, Facts, serve

PROGRAM = "sasl-sample-client and -server"
PACKAGES = ("sasl2-bin", "libsasl2-2", "libsasl2-modules-gssapi-mit")
PORT = 7100
IPSEC = "GS2-P53REVX3TK4"  # what Cyrus calls mechanism ipsec


def relayed(role, letter, program, mechanism, more):
    relay = (Path(__file__).parent / "relay.py").read_text()
    return ["/usr/bin/python3", "-c", relay, role, str(PORT), letter, "/usr/bin/stdbuf", "-oL", program, "-s", "host", "-l", "-m", mechanism, *more]


def start(host, env=None, mechanism="GSSAPI", uid=None):
    argv = relayed("accept", "S", "/usr/sbin/sasl-sample-server", mechanism, ["-d", SERVER])
    return serve(host, argv, PORT, f"{mechanism}.log", env=env, uid=uid)


def said(text, word):
    """The last of the lines that begin with this word."""
    return ([line[len(word):].strip() for line in text.splitlines() if line.startswith(word)] or [""])[-1]


def run(lab, client=None, server=None, mechanism="GSSAPI", security="", authid=""):
    """sample-client against sample-server by one of SASL's mechanisms: `client` and `server` are what each end's environment has more,
    `security` such as `min=56,max=256`."""
    daemon = start(lab.b, server, mechanism)
    more = ["-n", SERVER, "-u", "", *(["-b", security] if security else []), *(["-a", authid] if authid else [])]
    done = lab.a.run(relayed("connect", "C", "/usr/bin/sasl-sample-client", mechanism, more), env=client, uid=USERS["alice"])
    daemon.wait(timeout=20)
    lab.b.processes.remove(daemon)
    heard = lab.b.log(f"{mechanism}.log")
    good = all(said(text, "status") == "0" for text in (done.stdout, heard)) and "client message 1" in heard and "srv message 1" in done.stdout
    return Facts(good, said(heard, "Username:"), f"ssf {said(done.stdout, 'SSF:')}", f"{done.stdout}{done.stderr}\n--- server\n{heard}")
