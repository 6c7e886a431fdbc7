# SPDX-License-Identifier: MIT
"""Drives a gss_peer process on a host, and whole exchanges between two of them."""
import json
import subprocess

GSS_S_CONTINUE_NEEDED = 1
FLAG_NAMES = {1: "deleg", 2: "mutual", 4: "replay", 8: "sequence", 16: "conf", 32: "integ", 64: "anon", 128: "ready", 256: "trans", 2048: "bound"}


class Peer:
    def __init__(self, host, uid=None, env=None):
        self.host = host
        trace = {"GSS_IPSEC_TRACE": f"{host.directory}/trace.{uid or 0}"}
        self.process = host.popen(host.wrapped(["/run/bin/gss_peer"]), env={**trace, **(env or {})}, uid=uid, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=open(f"{host.directory}/peer.log", "ab"), text=True, bufsize=1)
        from host import MECHANISM
        self.cmd("mech", MECHANISM)

    def cmd(self, *words):
        """One command; its answer as a dictionary. A process that died raises."""
        self.process.stdin.write(" ".join(str(w) for w in words) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"gss_peer of {self.host.name} died at {words[0]}: {self.host.log('peer.log')[-1500:]}")
        return json.loads(line)

    def begin_anew(self):
        """The program executes itself: of all it had the connection is left."""
        answer = self.cmd("exec")
        from host import MECHANISM
        self.cmd("mech", MECHANISM)
        return answer

    def end(self):
        self.process.stdin.close()
        return self.process.wait(timeout=10)


def connected(lab, client, server, address="10.1.0.2", port=7000, **options):
    """A TCP connection between two peers."""
    lab.need("server listens", "errno" not in server.cmd("listen", address, port))
    limit = f"wait={8 * lab.job['slow']}"
    extra = [f"{k}={v}" for k, v in options.items()] + [limit]
    answer = client.cmd("connect", address, port, *extra)
    lab.need("client connects", "fd" in answer, answer)
    answer = server.cmd("accept", limit)
    lab.need("server accepts", "fd" in answer, answer)


class Exchange:
    """A context exchange step by step; every token is kept, so that a scenario can change or replay it."""

    def __init__(self, client, server, target="host@server.example.org", kind="hostbased", flags=62):
        self.client, self.server, self.flags = client, server, flags
        self.tokens, self.first, self.second = [], None, None
        self.named = client.cmd("target", kind, target)

    def run(self, change=lambda index, token: token):
        """Both ends until one fails or both are done. True when both are established."""
        token = "-"
        for _ in range(6):
            self.first = self.client.cmd("init", token, f"flags={self.flags}")
            if self.first["major"] not in (0, GSS_S_CONTINUE_NEEDED) or (self.first["major"] == 0 and not self.first["token"]):
                break
            token = self.sent(self.first["token"], change)
            self.second = self.server.cmd("step", token)
            if not self.second["token"]:
                break
            token = self.sent(self.second["token"], change)
        return self.established

    def sent(self, token, change):
        self.tokens.append(token)
        return change(len(self.tokens) - 1, token)

    @property
    def established(self):
        return bool(self.first and self.second and self.first["major"] == 0 and self.second["major"] == 0)

    @property
    def why(self):
        return f"initiator: {self.first and (self.first['error'], self.first['why'])} acceptor: {self.second and (self.second['error'], self.second['why'])}"

    @property
    def reasons(self):
        """What the ends that failed say of it."""
        return [end["why"] for end in (self.first, self.second) if end and end["major"] not in (0, GSS_S_CONTINUE_NEEDED) and end["why"]]


def flip(token, at):
    """One bit of the octet there, another one in each octet."""
    octets = bytearray.fromhex(token)
    octets[at] ^= 0x80 >> at % 8
    return octets.hex()


def flag_names(flags):
    return {name for bit, name in FLAG_NAMES.items() if flags & bit}


def text(data):
    return data.encode().hex()
