# SPDX-License-Identifier: MIT
"""python3-gssapi at both ends, which asks for nothing but the default mechanism and names no socket. Four messages each way; what protects
them is seen in their tokens."""
import re

from servers.daemon import SERVER, USERS, Facts, serve, write

PROGRAM = "python3-gssapi, both ends"
PACKAGES = ("python3-gssapi",)
PORT = 7300

FRAMED = """
import socket, gssapi
def send(data): s.sendall(len(data).to_bytes(4, "big") + data)
def read(n):
    data = b""
    while len(data) < n:
        more = s.recv(n - len(data))
        if not more: raise SystemExit("closed")
        data += more
    return data
def receive(): return read(int.from_bytes(read(4), "big"))
def say(text):
    token = ctx.wrap(text, True).message
    print("plain" if text in token else "encrypted", flush=True)
    send(token)
"""
CLIENT = FRAMED + f"""
s = socket.create_connection(("{SERVER}", {PORT}))
ctx = gssapi.SecurityContext(name=gssapi.Name("host@{SERVER}", gssapi.NameType.hostbased_service), usage="initiate")
token = None
while not ctx.complete:
    out = ctx.step(token)
    if out: send(out)
    if not ctx.complete: token = receive()
for n in range(4):
    say(b"question %d" % n)
    print("heard", ctx.unwrap(receive()).message.decode())
"""
SERVES = FRAMED + f"""
l = socket.create_server(("10.1.0.2", {PORT}))
s, _ = l.accept()
ctx = gssapi.SecurityContext(usage="accept")
while not ctx.complete:
    out = ctx.step(receive())
    if out: send(out)
print("initiator", ctx.initiator_name)
for n in range(4):
    print("heard", ctx.unwrap(receive()).message.decode())
    say(b"answer %d" % n)
"""


def start(host, env=None):
    return serve(host, ["/usr/bin/python3", "-c", SERVES], PORT, "gss-python.log", env=env)


def run(lab, client=None, server=None):
    """`client` and `server` are what each end's environment has more. Protection: of each message in order, in its token."""
    write(f"{lab.b.directory}/gss-python.log", "")
    daemon = start(lab.b, server)
    done = lab.a.run(["/usr/bin/python3", "-c", CLIENT], env=client, uid=USERS["alice"])
    daemon.wait(timeout=20)
    lab.b.processes.remove(daemon)
    heard = lab.b.log("gss-python.log")
    good = all(f"heard answer {n}" in done.stdout and f"heard question {n}" in heard for n in range(4))
    user = re.search(r"initiator (\S+)", heard)
    tokens = " ".join(re.findall(r"^(?:plain|encrypted)$", done.stdout, re.M)), " ".join(re.findall(r"^(?:plain|encrypted)$", heard, re.M))
    return Facts(good, user.group(1) if user else "", " / ".join(tokens), done.stdout + done.stderr + heard)
