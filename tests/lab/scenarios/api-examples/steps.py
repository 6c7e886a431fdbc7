# SPDX-License-Identifier: MIT
import socket

import api
import gss

ALICE, BOB = 2001, 2002
CLIENT, SERVER, OTHER = "fqdn:client.example.org", "fqdn:server.example.org", "fqdn:other.example.org"
PROGRAMS = {"C": ["/run/bin/echo_c"], "C++": ["/run/bin/echo_cxx"], "Python": ["python3", str(api.TOP / "docs/examples/echo.py")]}


def serve(lab, language, port, peer=CLIENT):
    log = f"echo.{port}"
    lab.b.popen([*PROGRAMS[language], "serve", "10.1.0.2", str(port), peer], env=api.ENVIRONMENT, uid=BOB, log=log)
    listening = lambda: f":{port:04X} " in lab.b.run(["cat", "/proc/net/tcp"]).stdout  # noqa: E731
    lab.need(f"{language}: the server listens", lab.wait(listening, 5), lab.b.log(log))
    return log


def call(lab, language, port, peer=SERVER, text="hello"):
    return lab.a.run([*PROGRAMS[language], "call", "10.1.0.2", str(port), peer, text], env=api.ENVIRONMENT, uid=ALICE)


def each_other(lab):
    for number, server in enumerate(PROGRAMS):
        port = 7000 + number
        log = serve(lab, server, port)
        for client in PROGRAMS:
            done = call(lab, client, port, text=f"hello from {client}")
            lab.expect(f"{client} speaks with {server}", done.returncode == 0 and done.stdout == f"hello from {client}\n", done.stdout + done.stderr)
            lab.expect(f"{server} names the peer", f"{CLIENT}: hello from {client}\n" in lab.b.log(log), lab.b.log(log))
        done = call(lab, server, port, peer=OTHER)
        lab.expect(f"{server}: a server that is another than wanted is refused", done.returncode == 1 and "not the one that was asked for" in done.stdout, done.stdout)


def who(lab):
    done = lab.a.run(["/run/bin/who_is_there", "10.1.0.2", "7000"], env=api.ENVIRONMENT, uid=ALICE)
    lab.expect("three lines say who is there", (done.returncode, done.stdout) == (0, SERVER + "\n"), done.stdout + done.stderr)


def refuses(lab):
    for number, language in enumerate(PROGRAMS):
        log = serve(lab, language, 7100 + number, peer=OTHER)
        done = call(lab, language, 7100 + number)
        lab.expect(f"{language}: a client that is another than wanted gets no answer", f"hello" not in done.stdout, done.stdout)
        lab.expect(f"{language}: and the server says why", "refused" in lab.b.log(log) and f"found {CLIENT}" in lab.b.log(log), lab.b.log(log))


def breaks(lab):
    """A client of no language in particular, who goes on after the latch broke."""
    with lab.a.inside(lambda: socket.create_connection(("10.1.0.2", 7000))) as client:
        client.sendall(b"before")
        lab.expect("it is served", client.recv(100) == b"before")
        for way, source, destination in (("out", "10.1.0.2", "10.1.0.1"), ("in", "10.1.0.1", "10.1.0.2")):
            lab.b.ip(f"xfrm policy add src {source} dst {destination} proto tcp dir {way} priority 1 action allow")
        lab.wait(lambda: False, 0.5)
        client.settimeout(2)
        client.sendall(b"after")
        try:
            answer = client.recv(100)
        except OSError:
            answer = b""
        lab.expect("what comes after the latch broke is not answered", answer == b"", answer)
    for way, source, destination in (("out", "10.1.0.2", "10.1.0.1"), ("in", "10.1.0.1", "10.1.0.2")):
        lab.b.ip(f"xfrm policy delete src {source} dst {destination} proto tcp dir {way}")


def without(lab):
    for host in (lab.a, lab.b):
        host.ip("xfrm policy flush")
    lab.wait(lambda: call(lab, "C", 7001).returncode == 1, 3)
    for number, language in enumerate(PROGRAMS):
        done = call(lab, language, 7000 + number)
        lab.expect(f"{language}: without IPsec not a word is said", done.returncode == 1 and "no IPsec policy" in done.stdout, done.stdout + done.stderr)
    done = lab.a.run(["/run/bin/who_is_there", "10.1.0.2", "7001"], env=api.ENVIRONMENT, uid=ALICE)
    lab.expect("and nobody is there", done.returncode == 1 and done.stdout.startswith("nobody: no IPsec policy"), done.stdout)


def run(lab):
    gss.brokers(lab)
    each_other(lab)
    who(lab)
    refuses(lab)
    breaks(lab)
    without(lab)
