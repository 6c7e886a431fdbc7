# SPDX-License-Identifier: MIT
import json
import os

import gss
import kerberos
from host import MECHANISM

RUN = ["/run/bin/ipsec-gss", "run", "--library", "/run/bin/libgss-ipsec-preload.so", "--"]
CONNECTIONS, ROUNDS = 6, 4

COMMON = """
import gssapi, json, queue, select, socket, sys, threading, time
mech = gssapi.OID.from_int_seq(sys.argv[1])
CONNECTIONS, ROUNDS = int(sys.argv[2]), int(sys.argv[3])
def framed(data): return len(data).to_bytes(4, "big") + data
"""

# As slapd does: one thread reads whatever comes, and whichever thread of a pool is free serves it. A client that sends two requests in one
# segment keeps the reader away from the thread that serves the first; one that says "both" has the next two served when both are there.
SERVER = COMMON + """
l = socket.create_server(("10.1.0.2", 7000))
print("listening", flush=True)
work, contexts, lock = queue.Queue(), {}, threading.Lock()
def serve():
    while True:
        s, token = work.get()
        try:
            with lock: ctx = contexts.get(s)
            if ctx is None: ctx = gssapi.SecurityContext(usage="accept")
            out = ctx.step(token)
            with lock: contexts[s] = None if ctx.complete else ctx
            print(json.dumps({"port": s.getpeername()[1], "complete": ctx.complete}), flush=True)
            s.sendall(framed(out or b"done"))
        except gssapi.exceptions.GSSError as e:
            with lock: contexts[s] = None
            print(json.dumps({"port": s.getpeername()[1], "why": str(e)}), flush=True)
            s.sendall(framed(b"refused"))
for _ in range(4): threading.Thread(target=serve, daemon=True).start()
poll, held, kept, together = select.poll(), {}, [], 1
poll.register(l, select.POLLIN)
while True:
    for fd, _ in poll.poll():
        if fd == l.fileno():
            s, _ = l.accept()
            poll.register(s, select.POLLIN)
            held[s.fileno()] = (s, bytearray())
            continue
        s, data = held[fd]
        more = s.recv(65536)
        if not more:
            poll.unregister(fd)
            continue
        data += more
        while len(data) >= 4 and len(data) >= 4 + int.from_bytes(data[:4], "big"):
            size = int.from_bytes(data[:4], "big")
            token = bytes(data[4:4 + size])
            del data[:4 + size]
            if token == b"both":
                together = 2
                s.sendall(framed(b"waiting"))
            elif token: kept.append((s, token))
            if len(kept) < together: continue
            for item in kept: work.put(item)
            kept, together = [], 1
"""

# As `curl -Z` does: one thread, all connections at once, and the one that is touched is the one whose turn it is.
CLIENT = COMMON + """
def read(s, n):
    data = b""
    while len(data) < n:
        more = s.recv(n - len(data))
        if not more: raise SystemExit("closed")
        data += more
    return data
def receive(s): return read(s, int.from_bytes(read(s, 4), "big"))
name = gssapi.Name("host@server.example.org", gssapi.NameType.hostbased_service)
sockets = [socket.create_connection(("10.1.0.2", 7000)) for _ in range(CONNECTIONS)]
good = bad = 0
for _ in range(ROUNDS):
    contexts = []
    for s in sockets:
        s.getpeername()
        ctx = gssapi.SecurityContext(name=name, mech=mech, usage="initiate")
        contexts.append(ctx)
        s.sendall(framed(ctx.step()) + framed(b""))
    for s, ctx in reversed(list(zip(sockets, contexts))):
        s.sendall(framed(b"") + framed(ctx.step(receive(s))))
        good += ctx.complete and receive(s) == b"done"
print("established", good)
sockets[0].getpeername()
token = gssapi.SecurityContext(name=name, mech=mech, usage="initiate").step()
sockets[0].sendall(framed(b"both"))
receive(sockets[0])
for s in sockets[1::-1]: s.sendall(framed(token))
print("copied:", [receive(s) == b"refused" for s in sockets[:2]])
"""

# The same of Kerberos, whose last token is the server's.
KERBEROS_CLIENT = CLIENT[:CLIENT.index("    contexts = []")] + """
    contexts = []
    for s in sockets:
        s.getpeername()
        ctx = gssapi.SecurityContext(name=name, mech=mech, usage="initiate", flags=gssapi.RequirementFlag.mutual_authentication)
        contexts.append(ctx)
        s.sendall(framed(ctx.step()) + framed(b""))
    for s, ctx in reversed(list(zip(sockets, contexts))): good += ctx.step(receive(s)) is None and ctx.complete
print("established", good)
"""


def words(program, mechanism=MECHANISM):
    return [*RUN, "/usr/bin/python3", "-c", program, mechanism, str(CONNECTIONS), str(ROUNDS)]


def lines(host, log):
    return [json.loads(line) for line in host.log(log).splitlines() if line.startswith("{")]


def interposed(lab):
    """Kerberos' contexts of the same programs, each bound to its own connection."""
    kerberos.realm(lab)
    env = {host: {**kerberos.interposed(host), "GSS_IPSEC_TRACE": f"{host.directory}/trace.preload"} for host in (lab.a, lab.b)}
    server = lab.b.popen(words(SERVER, kerberos.KRB5), env=env[lab.b], log="kerberos.log")
    lab.need("the server listens again", lab.wait(lambda: "listening" in lab.b.log("kerberos.log"), 20), lab.b.log("kerberos.log")[-800:])
    client = lab.a.run(words(KERBEROS_CLIENT, kerberos.KRB5), env=env[lab.a], timeout=60)
    bound = [host.log("trace.preload").count("bound to the channel") for host in (lab.a, lab.b)]
    said = client.stdout + client.stderr + lab.b.log("kerberos.log")[-1500:]
    lab.expect("under the interposer every context of Kerberos is made", f"established {CONNECTIONS * ROUNDS}" in client.stdout, said)
    lab.expect("and bound to the connection that the preload saw, at both ends", bound == [CONNECTIONS * ROUNDS] * 2, (bound, lab.b.log("trace.preload")[-800:]))
    server.kill()


def run(lab):
    line = kerberos.program("bind", os.path.realpath("/usr/bin/python3"))
    gss.brokers(lab, a=line, b=line)
    server = lab.b.popen(words(SERVER), log="server.log")
    lab.need("the server listens", lab.wait(lambda: "listening" in lab.b.log("server.log"), 20), lab.b.log("server.log")[-800:])
    client = lab.a.run(words(CLIENT), timeout=60)
    served = lines(lab.b, "server.log")
    said = client.stdout + client.stderr + lab.b.log("server.log")[-1500:]
    lab.expect("every context of several connections in one thread is made", f"established {CONNECTIONS * ROUNDS}" in client.stdout, said)
    lab.expect("the server found the token's connection each time", sum(s.get("complete", False) for s in served) == CONNECTIONS * ROUNDS, said)
    refused = [s["why"] for s in served if "why" in s]
    lab.expect("a token that came on two connections is taken for neither", "copied: [True, True]" in client.stdout and len(refused) == 2, said)
    lab.expect("and the program is told so", any("several connections" in why for why in refused), refused)
    lab.expect("the exit code is the program's", lab.a.run([*RUN, "/bin/sh", "-c", "exit 7"]).returncode == 7)
    without = lab.a.run(words(CLIENT)[len(RUN):], timeout=30)
    lab.expect("without the preload the client has no socket to rest on", "not exactly one connected socket" in without.stderr, without.stdout + without.stderr)
    server.kill()
    server.wait()
    interposed(lab)
