# SPDX-License-Identifier: MIT
"""One end of a connection for scenarios of the sockets-layer API: reads a line of JSON, [command, options, argument...], and answers
with one. Everything goes through the Python module, which is what a program of that language has."""
import ctypes
import errno
import json
import os
import select
import socket
import struct
import sys
import time

import ipsecapi
from api_holders import Holders
from api_module import Module

IP_PKTINFO = 8
KINDS = {"tcp": (socket.SOCK_STREAM, 0), "udp": (socket.SOCK_DGRAM, 0)}


class End(Holders, Module):
    def __init__(self):
        self.connected = self.listener = self.kept = self.events = None
        self.latches = {}

    def which(self, name):
        return {"connected": self.connected, "listener": self.listener}[name]

    def make(self, address, kind):
        return socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, *KINDS[kind])

    # --- sockets
    def listen(self, address, port):
        self.listener = self.make(address, "tcp")
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, port))
        self.listener.listen()

    def connect(self, address, port, kind="tcp", wait=8):
        self.connected = self.make(address, kind)
        self.connected.settimeout(wait)
        self.connected.connect((address, port))

    def accept(self, wait=8):
        self.listener.settimeout(wait)
        self.connected, _ = self.listener.accept()
        self.connected.settimeout(wait)

    def send(self, text):
        self.connected.sendall(text.encode())

    def recv(self, wait=3):
        self.connected.settimeout(wait)
        return self.connected.recv(4096).decode()

    def close(self, name="connected"):
        self.which(name).close()

    # --- questions
    def version(self):
        return {"version": ipsecapi.version(), "capabilities": ipsecapi.capabilities()}

    def query(self, name="connected"):
        info = ipsecapi.query(self.which(name))
        return {"flags": info.flags, "secured": info.secured, "why": info.why, "reason": info.reason, "latch": ipsecapi.LATCH_STATES[info.latch_state],
                "mode": ipsecapi.MODES[info.mode], "key_bits": info.key_bits, "method": info.auth_method}

    def peer(self):
        return ipsecapi.peer(self.connected)

    def protection(self):
        token = ipsecapi.Protection(self.connected)
        found = {name: attribute(token, name) for name in ipsecapi.PROTECTION}
        found["ends"] = [{name: getattr(end, name) for name in ("name", "authenticated", "method")} for end in (token.local, token.peer)]
        found["as_kept"] = self.kept == token if self.kept else None
        self.kept = self.kept or token
        return found

    def probe(self, address, port, kind="tcp"):
        """What a connection of a new socket would have."""
        with self.make(address, kind) as made:
            token = ipsecapi.Protection.probe(made, address, port)
        return {"prospect": ipsecapi.PROSPECTS[token.prospect], "flags": token.flags, "why": token.why, "audit": token.audit, "outer": attribute(token, "outer"),
                "peer": who(token), "local": who(token, "local")}

    def probe_connected(self, address, port):
        return ipsecapi.Protection.probe(self.connected, address, port).prospect

    def bind_datagrams(self, address, port, info=True):
        self.connected = self.make(address, "udp")
        if info:
            self.connected.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        self.connected.bind((address, port))

    def send_to(self, text, address, port):
        self.connected.sendto(text.encode(), (address, port))

    def datagram(self, wait=3):
        """The next one, and what is known of it."""
        self.connected.settimeout(wait)
        octets, ancillary, _, source = self.connected.recvmsg(4096, 256)
        token = ipsecapi.Protection.of_datagram(self.connected, source, ancillary)
        return {"text": octets.decode(), "flags": token.flags, "why": ipsecapi.strerror(token.why), "peer": who(token), "inner": token.inner}

    def export(self):
        return ipsecapi.Protection(self.connected).peer.export().hex()

    def is_peer(self, octets):
        return ipsecapi.Identity.load(bytes.fromhex(octets)) == ipsecapi.Protection(self.connected).peer

    # --- latches
    def latch(self, name="connected", address=None, peer=None, **wanted):
        if name == "listener":
            self.latches[name] = ipsecapi.Latch.listener(self.listener, address)
        else:
            self.latches[name] = ipsecapi.Latch.connection(self.connected, template(wanted), peer and ipsecapi.Identity(peer))
        return self.latches[name].state

    def require(self, address, port, kind="tcp", **wanted):
        self.connected = self.make(address, kind)
        ipsecapi.require(self.connected, address, port, template(wanted))

    def require_and_listen(self, address, port, peer):
        """As a server that takes nobody else's SYN."""
        self.listener = self.make(address, "tcp")
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, port))
        ipsecapi.announce_bindings(self.listener, peer, 0)
        self.listener.listen()

    def require_connected(self, address, port):
        ipsecapi.require(self.connected, address, port)

    def connect_required(self, address, port, wait=2):
        """Of a socket that require() made, as a program that knows nothing of it: again and again."""
        until = time.monotonic() + wait
        while True:
            try:
                return self.connected.connect((address, port))
            except BlockingIOError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def require_and_connect(self, address, port, peer=None, kind="tcp", wait=8, **wanted):
        self.connected = self.make(address, kind)
        self.connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", wait, 0))
        self.latches["connected"] = ipsecapi.Latch.connect(self.connected, address, port, template(wanted), peer and ipsecapi.Identity(peer))
        return self.latches["connected"].state

    def latched(self, name="connected"):
        return self.latches[name].state

    def find(self, name="connected"):
        self.latches["found"] = ipsecapi.Latch.find(self.which(name))
        return self.latches["found"].state

    def inquire(self, name):
        state, token = self.latches[name].inquire()
        return {"state": state, "flags": token.flags, "peer": who(token)}

    def break_policy(self, policy):
        self.latches["connected"].set_break_policy(policy)

    def release(self, name="connected"):
        self.latches[name].release()
        del self.latches[name]

    def forget(self, name="connected"):
        del self.latches[name]

    # --- channel bindings
    def bindings(self, initiator):
        return ipsecapi.bindings(self.connected, initiator).hex()

    def binding_types(self):
        return ipsecapi.binding_types(self.connected)

    # --- events
    def subscribe(self, *types):
        self.events = ipsecapi.Subscription(self.connected, *types)

    def poll(self, wait=5):
        """Blocked in poll until something comes; all that came."""
        poller = select.poll()
        poller.register(self.events, select.POLLIN)
        poller.poll(wait * 1000)
        return [told(event) for event in self.events]

    def recvmsg(self, wait=5):
        """Data or one notification, from a blocking read."""
        self.connected.settimeout(None)
        self.connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", wait, 0))
        got = self.events.recv(4096)
        return got.decode() if isinstance(got, bytes) else told(got)

    # --- sockets of other kinds
    def query_other(self, kind):
        """Of a socket of another kind, made for this."""
        made = {"unix": lambda: socket.socket(socket.AF_UNIX), "unconnected": lambda: socket.socket(), "pair": lambda: socket.socketpair()[0],
                "loopback": self.loopback}[kind]()
        with made:
            return ipsecapi.query(made).reason

    def foreign(self, namespace):
        """What each function says of sockets of another network namespace, which root can enter."""
        with open("/proc/self/ns/net") as own, open(f"/run/netns/{namespace}") as other:
            enter(other)
            connected, loose, listener = self.loopback(), socket.socket(), socket.create_server(("127.0.0.1", 0))
            enter(own)
        asked = {"query": lambda: ipsecapi.query(connected), "peer": lambda: ipsecapi.peer(connected), "protection": lambda: ipsecapi.Protection(connected),
                 "latch": lambda: ipsecapi.Latch.connection(connected), "listener": lambda: ipsecapi.Latch.listener(listener, "127.0.0.1"),
                 "find": lambda: ipsecapi.Latch.find(connected), "bindings": lambda: ipsecapi.bindings(connected, True),
                 "types": lambda: ipsecapi.binding_types(connected), "events": lambda: ipsecapi.Subscription(connected),
                 "require": lambda: ipsecapi.require(loose, "127.0.0.1", 9)}
        with connected, loose, listener:
            return {name: self.refusal(ask) for name, ask in asked.items()}

    def loopback(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            made = socket.create_connection(server.getsockname())
            self.kept_open = server.accept()[0]
            return made


def attribute(token, name):
    """None where this token has none."""
    try:
        return getattr(token, name)
    except ipsecapi.Error as error:
        if error.errno != errno.ENODATA:
            raise
        return None


def who(token, end="peer"):
    named = attribute(token, end)
    return named and {"name": named.name, "authenticated": named.authenticated, "alt_name": attribute(named, "certificate_alt_name")}


def template(wanted):
    made = ipsecapi.Protection() if wanted else None
    for attribute, value in wanted.items():
        made.want(attribute, value)
    return made


def enter(namespace):
    if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), 0x40000000) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def told(event):
    return {"event": event.event, "state": ipsecapi.LATCH_STATES[event.state], "reason": event.reason, "missing": event.missing, "peer": event.peer,
            "text": event.text}


def answer(end, command, options, *arguments):
    try:
        return {"ok": True, "value": getattr(end, command)(*arguments, **options)}
    except ipsecapi.Error as error:
        return {"ok": False, "errno": os.strerror(error.errno), "reason": error.reason, "text": str(error)}
    except OSError as error:
        return {"ok": False, "errno": os.strerror(error.errno) if error.errno else str(error), "reason": 0, "text": str(error)}


def main():
    end = End()
    for line in sys.stdin:
        print(json.dumps(answer(end, *json.loads(line))), flush=True)


main()
