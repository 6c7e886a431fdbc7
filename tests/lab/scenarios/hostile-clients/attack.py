# SPDX-License-Identifier: MIT
"""What a local user can do to the broker: attack.py PATH PART... Says each part when it is done; stays until it is killed."""
import array
import ctypes
import mmap
import os
import resource
import socket
import struct
import sys
import threading
import time

PATH = sys.argv[1]
UNREAD = ("10.1.0.2", 7100)  # somebody there accepts and never reads
FIELDS = ">IHHII"
QUERY, RELEASE, PROBE, METRICS = 2, 8, 9, 14
NOT_ALLOWED, CREDENTIALS_CHANGED = 306, 307
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
A_USERS_CLIENTS = 256  # the limit unless configured
CROWD, EACH, GREETED = 25, 200, 4  # users, their clients, and each which of these says HELLO


def frame(verb, body=b"", request=1):
    return struct.pack(FIELDS, 0x49504753, 1, verb, request, 0) + body


HELLO = frame(1, struct.pack(">HHH", 1, 1, 4) + b"/bad")


def connect(patient=False):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(None if patient else 0.5)
    s.connect(PATH)
    return s


def attempt(call):
    try:
        return call()
    except OSError as fault:
        return fault


def taken(s):
    answer = s.recv(70000)
    if struct.unpack(FIELDS, answer[:16])[4] != 0:
        raise SystemExit(f"HELLO is not taken: {answer.hex()}")
    return s


def greeted():
    s = connect()
    s.send(HELLO)
    return taken(s)


def query(s, descriptors):
    return s.sendmsg([frame(QUERY, b"\x01", 2)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))])


def status_of(answer):
    return struct.unpack(FIELDS, answer[:16])[4] if len(answer) >= 16 else -1


def is_served(s):
    def ask():
        s.settimeout(5)
        s.send(HELLO)
        return status_of(s.recv(70000)) == 0
    return attempt(ask) is True


def flood():
    """Ten thousand connections, four hundred at a time: of these, this user has what a user may have, and no more."""
    held, opened = [], 0
    while opened < 10000:
        s = attempt(connect)
        if isinstance(s, OSError):  # the broker is behind
            continue
        opened += 1
        held.append(s)
        if len(held) > 400:
            held.pop(0).close()
    served = sum(is_served(s) for s in held)
    if not 0 < served <= A_USERS_CLIENTS:
        raise SystemExit(f"of the last {len(held)} connections are served: {served}")
    for s in held:
        s.close()
    time.sleep(1)


def refused(what, s):
    """An answer that is an error, or the end of the connection; silence would be none."""
    answer = attempt(lambda: s.recv(70000))
    if isinstance(answer, TimeoutError) or (not isinstance(answer, OSError) and status_of(answer) == 0):
        raise SystemExit(f"{what}: {answer!r}")


def broken_messages():
    bad = [b"", b"x", HELLO[:7], HELLO[:-1], HELLO + b"more", frame(99), frame(4, b"y" * 60000), frame(QUERY, b"\x07"), b"z" * 70000,
           struct.pack(FIELDS, 0x49504753, 77, 1, 1, 0)]
    for message in bad:
        for s in (connect(), greeted()):
            attempt(lambda: s.send(message))
            refused(f"a message of {len(message)} octets, {message[:20].hex()}", s)
            s.close()


def odd_descriptors():
    pipe, unconnected = os.pipe(), socket.socket()
    files = [pipe[0], socket.socketpair()[0].fileno(), unconnected.fileno(), os.open("/dev/null", os.O_RDONLY), os.open("/", os.O_PATH)]
    for descriptors in [[f] for f in files] + [files, [pipe[1]] * 200]:
        s = greeted()
        attempt(lambda: query(s, descriptors))
        refused(f"{len(descriptors)} descriptors", s)
        s.close()


def many_descriptors():
    """More than are allowed, again and again: what the kernel drops and what the broker refuses must all be closed."""
    pipe = os.pipe()
    for _ in range(300):
        s = greeted()
        attempt(lambda: query(s, [pipe[0], pipe[1]] * 126))
        s.close()


def foreign_namespace():
    """Sockets of a namespace where this user is root."""
    child = os.fork()
    if child == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
            os._exit(1)
        for _ in range(200):
            s, theirs = greeted(), socket.socket()
            query(s, [theirs.fileno()])
            if status_of(s.recv(70000)) == 0:
                os._exit(2)
            s.close()
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
        raise SystemExit("a socket of another namespace is taken, or there is no other namespace")


def release_all():
    """Every slot there can be, of contexts that are not this connection's."""
    s = greeted()
    s.setblocking(True)
    for slot in range(1022):
        for generation in (1, 2, 3):
            s.send(frame(RELEASE, struct.pack(">II", slot, generation)))


def changed_credentials():
    """Connected as root, asking as somebody else."""
    s, other = greeted(), greeted()
    os.setgroups([])
    os.setgid(2003)
    os.setuid(2003)
    for client in (s, other):
        client.send(frame(METRICS))
        answer = status_of(client.recv(70000))
        if answer != CREDENTIALS_CHANGED:
            raise SystemExit(f"a connection of root answers another user: {answer}")
    anew = greeted()
    anew.send(frame(METRICS))
    if status_of(anew.recv(70000)) != NOT_ALLOWED:
        raise SystemExit("connected anew, and still taken for root")


def crowd():
    """Five thousand clients at once, users within what a user may have; they stay."""
    for index in range(CROWD):
        ready, write = os.pipe()
        if os.fork() == 0:
            os.setgroups([])
            os.setgid(3000 + index)
            os.setuid(3000 + index)
            clients = [connect(patient=True) for _ in range(EACH)]
            for s in clients[::GREETED]:
                s.send(HELLO)
            kept.extend(taken(s) for s in clients[::GREETED])
            kept.extend(clients)
            os.write(write, b"r")
            time.sleep(600)
        os.close(write)
        if os.read(ready, 1) != b"r":
            raise SystemExit(f"user {index} of the crowd is not served")


def unread_connection():
    s = socket.create_connection(UNREAD)
    s.setblocking(False)
    try:
        while True:
            s.send(b"u" * 65536)
    except BlockingIOError:
        return s


def pass_on(s):
    """Once this user's share of the workers is stuck there is no answer to him any more."""
    client = attempt(greeted)
    if not isinstance(client, OSError):
        query(client, [s.fileno()])
        kept.append(client)


def lingering():
    """The broker's copy is the last one: whoever closes it waits for octets that nobody reads."""
    for _ in range(6):
        s = unread_connection()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 30))
        pass_on(s)
        s.close()


def fault_that_waits():
    """A page whose first read waits until this process says otherwise, which it never does."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.syscall(323, os.O_CLOEXEC)
    page = mmap.mmap(-1, 4096)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    api = ctypes.create_string_buffer(struct.pack("QQQ", 0xAA, 0, 0))
    register = ctypes.create_string_buffer(struct.pack("QQQQ", address, 4096, 1, 0))
    if fd < 0 or libc.ioctl(fd, ctypes.c_ulong(0xC018AA3F), api) != 0 or libc.ioctl(fd, ctypes.c_ulong(0xC020AA00), register) != 0:
        raise SystemExit(f"userfaultfd: {os.strerror(ctypes.get_errno())}")
    return libc, page, address


def locked():
    """Another thread is in send() with the socket's lock: everybody who asks that socket anything waits."""
    for _ in range(6):
        s = socket.create_connection(UNREAD)
        libc, page, address = fault_that_waits()
        kept.append((s, page))
        threading.Thread(target=libc.send, args=(s.fileno(), ctypes.c_void_p(address), 4096, 0), daemon=True).start()
        time.sleep(0.1)
        pass_on(s)


def slow_readers():
    for s in [greeted() for _ in range(50)]:
        kept.append(s)
        s.setblocking(False)
        for number in range(500):
            attempt(lambda: s.send(frame(PROBE, b"\x01\x00\x00", number)))


kept = []
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
for part in sys.argv[2:]:
    globals()[part]()
    print("done:", part, flush=True)
time.sleep(600)
