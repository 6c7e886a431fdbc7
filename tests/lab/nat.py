# SPDX-License-Identifier: MIT
"""A NAT for IKE and ESP in UDP, as a thread with sockets on its inner side M and on its outer side N (topology nat): B sees A at N's address, at
ports that change when told."""
import selectors
import socket
import threading

from net import ROUTED

PORTS = (500, 4500)
INSIDE, OUTSIDE, PEER = "10.1.0.254", "10.2.0.254", ROUTED["B"]


def bound(address, port=0):
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    udp.bind((address, port))
    return udp


class Nat:
    def __init__(self, lab):
        self.outer, self.lock, self.ending = lab.host("N"), threading.Lock(), threading.Event()
        self.inside = {port: lab.host("M").inside(lambda port=port: bound(PEER, port)) for port in PORTS}
        self.outside, self.clients = {}, {}
        self.rebind()
        self.thread = threading.Thread(target=self.run)

    def rebind(self):
        """From now on A comes from other ports; what B still sends to the old ones is lost."""
        with self.lock:
            old = list(self.outside.values())
            self.outside = {port: self.outer.inside(lambda: bound(OUTSIDE)) for port in PORTS}
            for udp in old:
                udp.close()

    def ports(self):
        with self.lock:
            return {port: udp.getsockname()[1] for port, udp in self.outside.items()}

    def run(self):
        while not self.ending.is_set():
            with self.lock, selectors.DefaultSelector() as ready:
                for port in PORTS:
                    ready.register(self.inside[port], selectors.EVENT_READ, (port, self.from_inside))
                    ready.register(self.outside[port], selectors.EVENT_READ, (port, self.from_outside))
                for key, _ in ready.select(0.02):
                    port, forward = key.data
                    forward(key.fileobj, port)

    def from_inside(self, udp, port):
        data, self.clients[port] = udp.recvfrom(65536)
        self.outside[port].sendto(data, (PEER, port))

    def from_outside(self, udp, port):
        data, _ = udp.recvfrom(65536)
        if port in self.clients:
            self.inside[port].sendto(data, self.clients[port])

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.thread.join()
        for udp in [*self.inside.values(), *self.outside.values()]:
            udp.close()
