# SPDX-License-Identifier: MIT
import os
import socket

import api
import gss

ALICE, BOB = 2001, 2002
HERE, THERE = "10.1.0.2", "10.1.0.1"
CLIENT, SERVER, OTHER = "fqdn:client.example.org", "fqdn:server.example.org", "fqdn:other.example.org"
PROGRAM = "/run/bin/files"
HIGH_IS_CHACHA = '[[level]]\nname = "high"\nsuites = ["CHACHA20_POLY1305-256"]\n'
SECRET = b"the secret of the house. "


class Server:
    def __init__(self, lab, port, access, level="medium"):
        self.lab, self.port, self.log = lab, port, f"files.{port}"
        self.directory, self.acl = f"{lab.b.directory}/files.{port}.d", f"{lab.b.directory}/acl.{port}"
        os.makedirs(self.directory)
        with open(f"{self.directory}/big", "wb") as file:
            file.write(SECRET * 400_000)  # 10 MB, more than any socket's buffer
        with open(f"{self.directory}/note", "wb") as file:
            file.write(SECRET)
        for path in (self.directory, f"{self.directory}/big", f"{self.directory}/note"):
            os.chown(path, BOB, BOB)
        self.admit(access)
        lab.b.popen([PROGRAM, "serve", HERE, str(port), self.directory, self.acl, level], env=api.ENVIRONMENT, uid=BOB, log=self.log)
        lab.need("the server listens", lab.wait(lambda: f":{port:04X} " in lab.b.run(["cat", "/proc/net/tcp"]).stdout, 5), lab.b.log(self.log))

    def admit(self, access):
        with open(self.acl, "w") as file:
            file.write("# who may what\n" + access)

    def says(self, phrase, wait=3):
        return self.lab.wait(lambda: phrase in self.lab.b.log(self.log), wait)

    def client(self, *words, server=SERVER, data=None):
        verb, *rest = words
        feed = ["sh", "-c", 'exec "$@" <"$0"', data] if data else []
        return self.lab.a.run([*feed, PROGRAM, verb, HERE, str(self.port), server, *rest], env=api.ENVIRONMENT, uid=ALICE)

    def connection(self):
        return self.lab.a.inside(lambda: socket.create_connection((HERE, self.port), 5))


def serves(lab):
    server = Server(lab, 7000, f"read {OTHER}\nwrite {CLIENT}# ours\n")
    done = server.client("get", "note")
    lab.expect("a file comes", done.returncode == 0 and done.stdout == SECRET.decode(), done.stdout + done.stderr)
    lab.expect("the server names its client", server.says(f"{CLIENT}: admitted, may write") and server.says(f"{CLIENT}: GET note, 25 octets"), lab.b.log(server.log))
    path = f"{lab.a.directory}/upload"
    with open(path, "w") as file:
        file.write("by alice\n" * 100_000)
    os.chmod(path, 0o644)
    done = server.client("put", "new", data=path)
    lab.expect("a file goes", done.returncode == 0 and server.says(f"{CLIENT}: PUT new, 900000 octets"), done.stderr + lab.b.log(server.log))
    with open(f"{server.directory}/new") as file:
        lab.expect("and is the same there", file.read() == "by alice\n" * 100_000)
    done = server.client("list")
    lab.expect("both are listed", sorted(done.stdout.split()) == ["big", "new", "note"], done.stdout + done.stderr)
    for name in ("../acl", ".hidden"):
        done = server.client("get", name)
        lab.expect(f"{name} is no name", done.returncode == 2, done.stderr)
    server.admit(f"read {CLIENT}\n")
    done = server.client("put", "more", data=path)
    lab.expect("who may only read writes nothing", done.returncode == 1 and not os.path.exists(f"{server.directory}/more"), done.stderr)
    return server


def broken(lab, server):
    with server.connection() as client:
        client.sendall(b"GET big\n")
        lab.expect("the transfer begins", client.recv(12).startswith(b"OK 10000000"))
        wires = [lab.a.capture(), lab.b.capture()]
        for way, source, destination in (("out", HERE, THERE), ("in", THERE, HERE)):
            lab.b.ip(f"xfrm policy add src {source} dst {destination} proto tcp dir {way} priority 1 action allow")
        lab.expect("broken while it runs: the server stops and says so", server.says("refused: the latch broke", 5), lab.b.log(server.log))
        client.settimeout(1)
        got = 0
        try:
            while octets := client.recv(65536):
                got += len(octets)
        except OSError:
            pass
        lab.expect("the rest does not come", got < 9_000_000, got)
        lab.expect("and not an octet of it was in clear", not any(wire.clear_payload(b"secret of the house") for wire in wires))
    for way, source, destination in (("out", HERE, THERE), ("in", THERE, HERE)):
        lab.b.ip(f"xfrm policy delete src {source} dst {destination} proto tcp dir {way}")
    lab.expect("the next client is served again", server.client("get", "note").stdout == SECRET.decode(), lab.b.log(server.log))


def strangers(lab, server):
    done = server.client("get", "note", server=OTHER)
    lab.expect("a client refuses another server than the wanted one", done.returncode == 1 and f"found {SERVER}" in done.stderr and not done.stdout, done.stderr)
    # The last one by the end of a comment, where that is cut at the server's 511 octets.
    server.admit(f"write {OTHER}\n#{'x' * 510}write {CLIENT}\n")
    done = server.client("get", "note")
    lab.expect("a client who is not in the list is not served", done.returncode == 1 and not done.stdout, done.stdout)
    lab.expect("and is named in the refusal", server.says(f"refused: {CLIENT} is not in the access list"), lab.b.log(server.log))
    server.admit(f"read {CLIENT}\n")


def weak(lab):
    server = Server(lab, 7001, f"write {CLIENT}\n", level="high")
    done = server.client("get", "note")
    lab.expect("too weak for the administrator's level", done.returncode == 1 and not done.stdout and server.says("refused: the protection is weaker than required"),
               done.stdout + lab.b.log(server.log))


def in_clear(lab, server):
    for host in (lab.a, lab.b):
        host.ip("xfrm policy flush")
    lab.wait(lambda: server.client("get", "note").returncode == 1, 3)
    done = server.client("get", "note")
    lab.expect("without IPsec the client does not even connect", done.returncode == 1 and "no IPsec policy" in done.stderr, done.stderr)
    wire = lab.a.capture()
    with server.connection() as client:
        client.sendall(b"GET note\n")
        client.settimeout(3)
        try:
            answer = client.recv(100)
        except OSError:
            answer = b""
    lab.expect("who comes in clear gets nothing", answer == b"" and not wire.clear_payload(SECRET), answer)
    lab.expect("and the server says why", server.says("refused: no IPsec policy covers"), lab.b.log(server.log))


def run(lab):
    gss.brokers(lab, b=HIGH_IS_CHACHA)
    server = serves(lab)
    broken(lab, server)
    strangers(lab, server)
    weak(lab)
    in_clear(lab, server)
