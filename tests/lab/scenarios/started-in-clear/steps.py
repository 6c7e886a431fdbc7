# SPDX-License-Identifier: MIT
import signal
import socket

import api
import gss
import net
import status
from peer import Exchange

BOB = 2002
CLIENT, HERE = "fqdn:client.example.org", "10.1.0.2"
EXAMPLES = {"echo.c": ["/run/bin/echo_c", "serve", HERE, "7100", CLIENT], "echo.cc": ["/run/bin/echo_cxx", "serve", HERE, "7101", CLIENT],
            "echo.py": ["python3", str(api.TOP / "docs/examples/echo.py"), "serve", HERE, "7102", CLIENT],
            "hello.py": ["python3", str(api.TOP / "docs/examples/hello.py"), "stream", HERE, "7103"],
            "files": ["/run/bin/files", "serve", HERE, "7104", "/tmp", "ACL", "any"]}
SINCE = "cannot be shown that this connection was protected since it began"


class Example:
    """A server of the package's examples, stopped while its first client connects and speaks in clear."""

    def __init__(self, lab, number, name):
        self.lab, self.name, self.log, self.port = lab, name, f"{name}.log", 7100 + number
        with open(f"{lab.b.directory}/acl", "w") as acl:
            acl.write(f"read {CLIENT}\n")
        words = [acl.name if word == "ACL" else word for word in EXAMPLES[name]]
        self.process = lab.b.popen(words, env=api.ENVIRONMENT, uid=BOB, log=self.log)
        listening = lambda: f":{self.port:04X} " in lab.b.run(["cat", "/proc/net/tcp"]).stdout  # noqa: E731
        lab.need(f"{name}: the server listens", lab.wait(listening, 15), lab.b.log(self.log))
        self.process.send_signal(signal.SIGSTOP)
        self.client = self.connect(b"clear words\n")

    def connect(self, words):
        made = self.lab.a.inside(lambda: socket.create_connection((HERE, self.port), 5))
        made.settimeout(5)
        made.sendall(words)
        return made

    def answer(self, client):
        try:
            return client.recv(100)
        except OSError:
            return b""

    def goes_on(self):
        self.process.send_signal(signal.SIGCONT)
        said = self.lab.wait(lambda: SINCE in self.lab.b.log(self.log), 8)
        self.lab.expect(f"{self.name}: refuses its client of before, and says why", said, self.lab.b.log(self.log))
        self.lab.expect(f"{self.name}: took no word for the peer's", self.answer(self.client) == b"" and "clear words" not in self.lab.b.log(self.log))
        self.lab.expect(f"{self.name}: serves the next one", self.answer(self.connect(b"now\n")) != b"", self.lab.b.log(self.log))


def policies(lab):
    for host in (lab.a, lab.b):
        net.sas(host)
        net.policies(host)


def of_the_api(lab, client, server):
    """The proven peer's words are only those that came under his SAs."""
    for wanted in ({"peer": CLIENT}, {"privacy": 2}, {"peer": CLIENT, "privacy": 2}):
        api.refused(lab, f"a latch that wants {' and '.join(wanted)}", server.cmd("latch", **wanted), "Permission denied", SINCE)
    lab.expect("one that wants nothing says nothing of the past", server.value("latch") == "established")
    said = server.value("query")
    lab.expect("which the flags tell", said["latch"] == "established" and said["flags"] == api.ALL & ~api.SINCE_START, said)
    api.refused(lab, "nor does the latch that it has by now prove it", server.cmd("latch", peer=CLIENT), "Permission denied", SINCE)
    later, server = api.peers(lab, port=7011)
    lab.expect("a connection that began afterwards is the peer's", server.value("latch", peer=CLIENT, privacy=2) == "established")


def run(lab):
    gss.brokers(lab)
    client, server = gss.peers(lab)
    client.cmd("send", gss.text("in clear"))
    server.cmd("recv")
    ends = api.peers(lab, port=7010)
    ends[0].value("send", "anybody's words")
    examples = [Example(lab, number, name) for number, name in enumerate(EXAMPLES)]
    policies(lab)
    said = lab.wait(lambda: (lambda s: s if s.get("protected") else None)(status.of_peer(lab.a, client)), 3)
    lab.need("protected now", said, said)
    lab.wait(lambda: False, 2.5)
    lab.expect("but not since it began", not status.of_peer(lab.a, client)["since_start"])
    gss.refused(lab, "mechanism ipsec", Exchange(client, server), SINCE)
    of_the_api(lab, *ends)
    for example in examples:
        example.goes_on()
    client, server = gss.peers(lab, port=7001)
    gss.context(lab, client, server)
