# SPDX-License-Identifier: MIT
"""Commands to charon over vici from one process: swanctl takes half a second to start here."""
import socket
import struct


def packet(command, values):
    out = struct.pack(">BB", 0, len(command)) + command.encode()
    for key, value in values.items():
        out += struct.pack(">BB", 3, len(key)) + key.encode() + struct.pack(">H", len(value)) + value.encode()
    return struct.pack(">I", len(out)) + out


class Vici:
    def __init__(self, host):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(f"{host.directory}/vici")

    def exactly(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise RuntimeError("charon closed vici")
            data += more
        return data

    def command(self, name, **values):
        """True when charon says that it did it."""
        self.socket.sendall(packet(name, values))
        answer = self.exactly(struct.unpack(">I", self.exactly(4))[0])
        return b"\x03\x07success\x00\x03yes" in answer
