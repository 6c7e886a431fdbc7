# SPDX-License-Identifier: MIT
"""Frames of a host's device, both directions, and what they say about the wire."""
import concurrent.futures
import socket

ETH_P_ALL = 3


def open_in(namespace, make):
    """Calls make() in another network namespace, in a thread of its own: setns is per thread."""
    from host import enter
    with concurrent.futures.ThreadPoolExecutor(1, initializer=enter, initargs=(namespace,)) as thread:
        return thread.submit(make).result()


class Packet:
    def __init__(self, frame, leaves=False):
        self.frame, self.leaves = frame, leaves
        self.version = {0x0800: 4, 0x86dd: 6}.get(int.from_bytes(frame[12:14], "big"), 0)
        self.protocol, self.payload, self.source = None, b"", b""
        if self.version == 4:
            self.protocol, self.payload, self.source = frame[23], frame[14 + (frame[14] & 15) * 4:], frame[26:30]
        if self.version == 6:
            self.protocol, self.payload, self.source = frame[20], frame[54:], frame[22:38]

    @property
    def spi(self):
        return int.from_bytes(self.payload[:4], "big") if self.protocol == 50 else None

    @property
    def ports(self):
        return {int.from_bytes(self.payload[:2], "big"), int.from_bytes(self.payload[2:4], "big")} if self.protocol in (6, 17, 132) else set()

    @property
    def tcp_flags(self):
        return self.payload[13] if self.protocol == 6 else 0

    @property
    def tcp_data(self):
        return self.payload[(self.payload[12] >> 4) * 4:] if self.protocol == 6 else b""


class Capture:
    def __init__(self, namespace, device):
        def make():
            raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            raw.bind((device, ETH_P_ALL))
            raw.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
            raw.setblocking(False)
            return raw
        self.raw = open_in(namespace, make)
        self.seen = []

    def packets(self):
        while True:
            try:
                frame, (_, _, kind, *_) = self.raw.recvfrom(65536)
                self.seen.append(Packet(frame, leaves=kind == socket.PACKET_OUTGOING))
            except BlockingIOError:
                return self.seen

    def clear(self):
        self.packets()
        self.seen = []

    def esp_spis(self):
        return {p.spi for p in self.packets() if p.spi is not None}

    def esp_count(self):
        return sum(p.spi is not None for p in self.packets())

    def clear_payload(self, octets):
        """Packets on the wire that show these octets."""
        return [p for p in self.packets() if octets in p.frame]

    def clear_segments(self, port, bare=False):
        """Segments of this TCP port outside ESP; `bare` counts ACK and RST without data too (control packets of closed sockets)."""
        found = [p for p in self.packets() if p.protocol == 6 and port in p.ports]
        return found if bare else [p for p in found if p.tcp_data or p.tcp_flags & 0x02]

    def outside_esp(self, port):
        """Every TCP, UDP or SCTP packet of this port that no ESP hides."""
        return [p for p in self.packets() if port in p.ports]

    def close(self):
        self.raw.close()
