# SPDX-License-Identifier: MIT
"""One end of connections by endpoint descriptors, for scenarios: reads a line of JSON, [command, options, argument...], and answers with one.
Calls libipsecapi's C functions of <ipsec/shim.h> as they are."""
import ctypes
import errno
import json
import os
import select
import socket
import struct
import sys
import time

LIBRARY = ctypes.CDLL("libipsecapi.so.0", use_errno=True)
PF_SHIM, SOL_SHIM = 0x7E53, 0x5348
WILDCARDS = {"any": 0xFFFFFF01, "proven": 0xFFFFFF02, "unproven": 0xFFFFFF03}
OPTIONS = {"family": 9, "nat": 12, "associated": 0x101, "local": 0x104, "peer": 0x105, "hot_standby": 0x103}
REUSE_ANY = 4


class Addrinfo(ctypes.Structure):
    pass


Addrinfo._fields_ = [("flags", ctypes.c_int), ("family", ctypes.c_int), ("type", ctypes.c_int), ("protocol", ctypes.c_int), ("length", ctypes.c_uint32),
                     ("address", ctypes.c_void_p), ("name", ctypes.c_char_p), ("next", ctypes.POINTER(Addrinfo))]
for made in ("getlocaled", "getpeered"):
    getattr(LIBRARY, made).restype = ctypes.c_void_p
LIBC = ctypes.CDLL(None)
LIBC.freeaddrinfo.argtypes = LIBRARY.shim_freeaddrinfo.argtypes = [ctypes.c_void_p]


def done(result):
    if result in (-1, None):
        number = ctypes.get_errno()
        text = ctypes.create_string_buffer(512)
        LIBRARY.ipsec_get_error(text, len(text))
        raise OSError(number, text.value.decode())
    return result


def endpoint(identity):
    text = identity.encode() + b"\0"
    return ctypes.create_string_buffer(struct.pack("@HH", 4 + len(text), 3) + text, 4 + len(text))


def addresses(host):
    found = ctypes.POINTER(Addrinfo)()
    assert LIBC.getaddrinfo(host.encode(), None, None, ctypes.byref(found)) == 0
    return found


class End:
    def __init__(self):
        self.fd = self.listener = -1

    def make(self, host, port, identity=None, flags=0):
        """A peer's value, and port."""
        ed = done(LIBRARY.getpeered(identity and endpoint(identity), str(port).encode(), addresses(host), flags))
        return list(struct.unpack("=HHI", ctypes.string_at(ed, 8))[1:])

    def named(self, host, port, flags):
        """Of the resolver."""
        hints, found = Addrinfo(flags=flags, type=socket.SOCK_STREAM), ctypes.POINTER(Addrinfo)()
        problem = LIBRARY.shim_getaddrinfo(host.encode(), str(port).encode(), ctypes.byref(hints), ctypes.byref(found))
        if problem:
            raise OSError(0, f"EAI {problem}")
        return list(struct.unpack("=HHI", ctypes.string_at(found.contents.address, 8))[1:])

    def socket(self):
        self.fd = done(LIBRARY.shim_socket(PF_SHIM, socket.SOCK_STREAM, 0))

    def connect(self, value, port):
        self.socket()
        done(LIBRARY.shim_connect(self.fd, struct.pack("=HHI", PF_SHIM, port, value), 8))

    def connect_later(self, value, port):
        """As programs that wait for several sockets do. What SO_ERROR said."""
        self.socket()
        os.set_blocking(self.fd, False)
        while LIBRARY.shim_connect(self.fd, struct.pack("=HHI", PF_SHIM, port, value), 8) != 0 and ctypes.get_errno() == errno.EAGAIN:
            time.sleep(0.05)
        if ctypes.get_errno() != errno.EINPROGRESS:
            done(-1)
        select.select([], [self.fd], [])
        number, length = ctypes.c_int(-1), ctypes.c_uint32(4)
        done(LIBRARY.shim_getsockopt(self.fd, socket.SOL_SOCKET, socket.SO_ERROR, ctypes.byref(number), ctypes.byref(length)))
        os.set_blocking(self.fd, True)
        return os.strerror(number.value) if number.value else ""

    def listen(self, port, wildcard="any"):
        self.listener = done(LIBRARY.shim_socket(PF_SHIM, socket.SOCK_STREAM, 0))
        done(LIBRARY.shim_bind(self.listener, struct.pack("!HHI", socket.htons(PF_SHIM), port, WILDCARDS[wildcard]), 8))
        done(LIBC.listen(self.listener, 5))

    def accept(self):
        self.fd = done(LIBRARY.shim_accept(self.listener, None, None))

    def peer(self):
        """Who is there, by his endpoint descriptor."""
        ed, length = ctypes.create_string_buffer(8), ctypes.c_uint32(8)
        done(LIBRARY.shim_getpeername(self.fd, ed, ctypes.byref(length)))
        return self.tell(*struct.unpack("=HHI", ed.raw)[1:][::-1])

    def tell(self, value, port=0):
        who = ctypes.c_void_p()
        done(LIBRARY.getpeeredinfo(struct.pack("=HHI", PF_SHIM, port, value), ctypes.byref(who), None))
        return ctypes.string_at(who.value + 4).decode() if who else None

    def option(self, name):
        room, length = ctypes.create_string_buffer(256), ctypes.c_uint32(256)
        done(LIBRARY.shim_getsockopt(self.fd, SOL_SHIM, OPTIONS[name], room, ctypes.byref(length)))
        return struct.unpack("@i", room.raw[:4])[0] if length.value == 4 else socket.inet_ntop(socket.AF_INET6, room.raw[12:28])

    def send(self, text):
        os.write(self.fd, text.encode())

    def recv(self):
        return os.read(self.fd, 4096).decode()


def answer(end, command, options, *arguments):
    try:
        return {"ok": True, "value": getattr(end, command)(*arguments, **options)}
    except OSError as error:
        return {"ok": False, "errno": os.strerror(error.errno) if error.errno else "", "text": error.strerror or str(error)}


def main():
    end = End()
    for line in sys.stdin:
        print(json.dumps(answer(end, *json.loads(line))), flush=True)


main()
