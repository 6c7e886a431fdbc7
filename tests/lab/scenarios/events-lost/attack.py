# SPDX-License-Identifier: MIT
"""What a local user tries with the broker's events: attack.py PATH TRY [PID]. Says how it ended."""
import array
import ctypes
import os
import socket
import struct
import sys

PATH = sys.argv[1]
FIELDS = ">IHHII"
HELLO, SUBSCRIBE, ALL_TYPES = 1, 11, 0x7FE
CODES = {0: "ok", 306: "NOT_ALLOWED", 307: "CREDENTIALS_CHANGED", 308: "LIMIT"}


def request(s, verb, body, descriptor=None):
    """The code of the answer; events that come before it are none."""
    message = struct.pack(FIELDS, 0x49504753, 1, verb, 7, 0) + body
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))] if descriptor is not None else []
    s.sendmsg([message], rights)
    while True:
        fields = struct.unpack(FIELDS, s.recv(70000)[:16])
        if fields[2] == verb:
            return CODES.get(fields[4], fields[4])


def greeted():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(5)
    s.connect(PATH)
    assert request(s, HELLO, struct.pack(">HHH", 1, 1, 0)) == "ok"
    return s


def flood():
    """Of one connection of his own."""
    own = socket.create_connection(("10.1.0.2", 7100))
    connections = [greeted() for _ in range(4)]
    for number in range(5000):
        code = request(connections[number % 4], SUBSCRIBE, struct.pack(">IB", ALL_TYPES, 1), own.fileno())
        if code != "ok":
            return f"{code} after {number}"
    return "no limit"


def another_process():
    """The sockets of a process of somebody else's: pidfd_open, pidfd_getfd."""
    libc = ctypes.CDLL(None, use_errno=True)
    process = libc.syscall(434, int(sys.argv[3]), 0)
    return "taken" if process >= 0 and libc.syscall(438, process, 3, 0) >= 0 else os.strerror(ctypes.get_errno())


def everything():
    return request(greeted(), SUBSCRIBE, struct.pack(">IB", ALL_TYPES, 2))


def changed():
    """Connected as root, asks as nobody."""
    s = greeted()
    os.setuid(65534)
    return request(s, SUBSCRIBE, struct.pack(">IB", ALL_TYPES, 2))


print(globals()[sys.argv[2]]())
