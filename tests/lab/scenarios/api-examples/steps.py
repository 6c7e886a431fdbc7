# SPDX-License-Identifier: MIT
import os
import resource
import shutil
import socket
import ssl

import api
import gss

ALICE, BOB = 2001, 2002
CLIENT, SERVER, OTHER = "fqdn:client.example.org", "fqdn:server.example.org", "fqdn:other.example.org"
HANGS_UP = "import socket\nlistener = socket.create_server(('10.1.0.2', 7300))\nwhile True:\n    listener.accept()[0].close()\n"
PROGRAMS = {"C": ["/run/bin/echo_c"], "C++": ["/run/bin/echo_cxx"], "Python": ["python3", str(api.TOP / "docs/examples/echo.py")]}


def serve(lab, language, port, peer=CLIENT):
    log = f"echo.{port}"
    lab.b.popen([*PROGRAMS[language], "serve", "10.1.0.2", str(port), peer], env=api.ENVIRONMENT, uid=BOB, log=log)
    listening = lambda: f":{port:04X} " in lab.b.run(["cat", "/proc/net/tcp"]).stdout  # noqa: E731
    lab.need(f"{language}: the server listens", lab.wait(listening, 15), lab.b.log(log))
    return log


def call(lab, language, port, peer=SERVER, text="hello"):
    return lab.a.run([*PROGRAMS[language], "call", "10.1.0.2", str(port), peer, text], env=api.ENVIRONMENT, uid=ALICE)


def each_other(lab):
    servers = {}
    for number, server in enumerate(PROGRAMS):
        port = 7000 + number
        log = serve(lab, server, port)
        servers[server] = lab.b.processes[-1], log
        for client in PROGRAMS:
            done = call(lab, client, port, text=f"hello from {client}")
            lab.expect(f"{client} speaks with {server}", done.returncode == 0 and done.stdout == f"hello from {client}\n", done.stdout + done.stderr)
            lab.expect(f"{server} names the peer", lab.wait(lambda: f"{CLIENT}: hello from {client}\n" in lab.b.log(log), 3), lab.b.log(log))
        done = call(lab, server, port, peer=OTHER)
        lab.expect(f"{server}: a server that is another than wanted is refused", done.returncode == 1 and "not the one that was asked for" in done.stdout, done.stdout)
    return servers


def who(lab):
    done = lab.a.run(["/run/bin/who_is_there", "10.1.0.2", "7000"], env=api.ENVIRONMENT, uid=ALICE)
    lab.expect("three lines say who is there", (done.returncode, done.stdout) == (0, SERVER + "\n"), done.stdout + done.stderr)


def greet(lab, kind, port, memory, *more):
    done = lab.a.run(["/run/bin/hello_c", kind, "10.1.0.2", str(port), memory, *more], env=api.ENVIRONMENT, uid=ALICE)
    return done.returncode, done.stdout


def greets(lab):
    """Clients that remember whom they met, by connection, by datagrams, and with TLS inside."""
    pki, home = lab.job["pki"], f"{lab.a.directory}/alice"
    os.makedirs(home)
    authority = shutil.copy(f"{pki}/ca.crt", home)
    for path in (home, authority):
        os.chown(path, ALICE, ALICE)
    greets_by(lab, "stream", 7200, home)
    greets_by(lab, "datagram", 7201, home)
    greets_by(lab, "tls", 7202, home, [f"{pki}/server.example.org.crt", f"{pki}/server.example.org.key"], ["server.example.org", authority])
    code, said = greet(lab, "tls", 7202, f"{home}/other", "other.example.org", authority)
    lab.expect("another name than TLS proves is not greeted, nor remembered", code == 1 and "hostname mismatch" in said and not os.path.exists(f"{home}/other"), said)


    binding = b"x-ipsec-exporter-v1:" + bytes(32)
    context = ssl.create_default_context(cafile=authority)
    with lab.a.inside(lambda: socket.create_connection(("10.1.0.2", 7202), 5)) as plain, context.wrap_socket(plain, server_hostname="server.example.org") as inner:
        inner.sendall(binding)
        lab.expect("tls: who means another channel gets no answer", inner.recv(100) == b"")
    lab.expect("tls: and the server says why", lab.wait(lambda: "another IPsec channel" in lab.b.log("hello.7202"), 3), lab.b.log("hello.7202"))


def greets_by(lab, kind, port, home, files=(), names=()):
    log, memory = f"hello.{port}", f"{home}/{kind}"
    lab.b.popen(["python3", str(api.TOP / "docs/examples/hello.py"), kind, "10.1.0.2", str(port), *files], env=api.ENVIRONMENT, log=log)
    table = "/proc/net/udp" if kind == "datagram" else "/proc/net/tcp"
    lab.need(f"{kind}: the server is there", lab.wait(lambda: f":{port:04X} " in lab.b.run(["cat", table]).stdout, 15), lab.b.log(log))
    for what in ("for the first time", "and again"):
        said = greet(lab, kind, port, memory, *names)
        lab.expect(f"{kind}: hello {what}", said == (0, f"{CLIENT}: hello world\n"), (said, lab.b.log(log)))
    with open(memory, "r+b") as file:
        remembered = file.read()
        lab.expect(f"{kind}: the peer is remembered", SERVER.encode() in remembered, remembered)
        file.seek(0)
        file.write(remembered.replace(b"server", b"zerver"))
    code, said = greet(lab, kind, port, memory, *names)
    lab.expect(f"{kind}: who is another than the last time is not greeted", code == 1 and "not the one that was asked for" in said, said)
    os.chown(memory, 0, 0)
    os.chmod(memory, 0o600)
    lab.expect(f"{kind}: what cannot be read is not taken for nobody", greet(lab, kind, port, memory, *names) == (1, ""))


def refuses(lab):
    for number, language in enumerate(PROGRAMS):
        log = serve(lab, language, 7100 + number, peer=OTHER)
        done = call(lab, language, 7100 + number)
        lab.expect(f"{language}: a client that is another than wanted gets no answer", f"hello" not in done.stdout, done.stdout)
        lab.expect(f"{language}: and the server says why", "refused" in lab.b.log(log) and f"found {CLIENT}" in lab.b.log(log), lab.b.log(log))


def echoed(lab, port, text):
    with lab.a.inside(lambda: socket.create_connection(("10.1.0.2", port), 5)) as client:
        client.sendall(text)
        try:
            return client.recv(100)
        except OSError as error:
            return repr(error)


def hardy(lab, servers):
    """What a client may say, and what a server may lack, does not end it."""
    answer = echoed(lab, 7200, b"\xff\xfe")
    lab.expect("hello.py: names are octets, too", answer == CLIENT.encode() + b": \xff\xfe", answer)
    for port, (language, (server, log)) in enumerate(servers.items(), 7000):
        free = min(set(range(100)) - set(map(int, os.listdir(f"/proc/{server.pid}/fd"))))
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (free, 1024))
        answer = echoed(lab, port, b"\xff\xfe")  # by the accept(2) that waits, which has its descriptor
        lab.expect(f"{language}: octets that are no text come back", answer == b"\xff\xfe", answer)
        with lab.a.inside(lambda: socket.create_connection(("10.1.0.2", port), 5)) as client:
            client.sendall(b"patience")
            complaints = lambda: lab.b.log(log).count("Too many open files")  # noqa: E731
            lab.expect(f"{language}: says that it cannot accept", lab.wait(complaints, 3), lab.b.log(log))
            lab.wait(lambda: False, 0.5)
            lab.expect(f"{language}: and does not spin", complaints() < 4, complaints())
            resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (1024, 1024))
            lab.expect(f"{language}: and goes on", client.recv(100) == b"patience", lab.b.log(log))


def hung_up(lab):
    lab.b.popen(["python3", "-c", HANGS_UP])
    lab.need("it listens", lab.wait(lambda: f":{7300:04X} " in lab.b.run(["cat", "/proc/net/tcp"]).stdout, 15))
    for language in PROGRAMS:
        done = call(lab, language, 7300)
        lab.expect(f"{language}: a server that hangs up is no success", done.returncode == 1 and done.stdout.strip() and "Traceback" not in done.stderr,
                   (done.returncode, done.stdout, done.stderr))


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
    servers = each_other(lab)
    who(lab)
    greets(lab)
    refuses(lab)
    hardy(lab, servers)
    hung_up(lab)
    breaks(lab)
    without(lab)
