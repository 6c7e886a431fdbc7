# SPDX-License-Identifier: MIT
"""One end of a SASL exchange by Cyrus' library, with channel bindings of the application, which its sample programs cannot give:
sasl_bound.py client|server ADDRESS MECHANISMS BINDING ("" for none; with a ! behind it for one that must be used). MECHANISMS: what a client
chooses from; "" for what the server offers. Prints what was offered, which mechanism it was, who the user is, or the error."""
import ctypes as c
import socket
import sys

OK, CONTINUE = 0, 1
USERNAME, CHANNEL_BINDING, CB_USER, CB_AUTHNAME = 0, 21, 0x4001, 0x4002
PORT = 7000
sasl = c.CDLL("libsasl2.so.2")
sasl.sasl_errdetail.restype = c.c_char_p
Simple = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_int, c.POINTER(c.c_char_p), c.POINTER(c.c_uint))


class Callback(c.Structure):
    _fields_ = [("id", c.c_ulong), ("function", c.c_void_p), ("context", c.c_void_p)]


class Binding(c.Structure):
    _fields_ = [("name", c.c_char_p), ("critical", c.c_int), ("size", c.c_ulong), ("octets", c.c_char_p)]


@Simple
def name(_, which, result, size):
    result[0] = b"alice" if which == CB_AUTHNAME else b""
    if size:
        size[0] = len(result[0])
    return OK


CALLBACKS = (Callback * 3)(Callback(CB_USER, c.cast(name, c.c_void_p)), Callback(CB_AUTHNAME, c.cast(name, c.c_void_p)), Callback(0))


def must(connection, status):
    if status not in (OK, CONTINUE):
        raise SystemExit(f"error {status}: {sasl.sasl_errdetail(connection).decode()}")
    return status


def send(wire, octets, done):
    wire.sendall(bytes([done]) + len(octets).to_bytes(4, "big") + octets)


def receive(wire):
    """The token, and whether the server is done."""
    head = wire.recv(5, socket.MSG_WAITALL)
    if len(head) < 5:
        raise SystemExit("error: the other end hung up")
    size = int.from_bytes(head[1:], "big")
    return (wire.recv(size, socket.MSG_WAITALL) if size else b""), bool(head[0])


def bind(connection, text):
    if not text:
        return None
    octets = text.rstrip("!").encode()
    binding = Binding(b"test", text.endswith("!"), len(octets), octets)
    must(connection, sasl.sasl_setprop(connection, CHANNEL_BINDING, c.byref(binding)))
    return binding  # the library keeps the pointer


def client(wire, connection, mechanisms, binding):
    must(None, sasl.sasl_client_init(None))
    must(None, sasl.sasl_client_new(b"host", b"server.example.org", None, None, CALLBACKS, 0, c.byref(connection)))
    kept = bind(connection, binding)
    offered, _ = receive(wire)
    out, size, chosen = c.POINTER(c.c_char)(), c.c_uint(), c.c_char_p()
    status = must(connection, sasl.sasl_client_start(connection, mechanisms.encode() or offered, None, c.byref(out), c.byref(size), c.byref(chosen)))
    print("mechanism", chosen.value.decode(), flush=True)
    send(wire, chosen.value, False)
    while True:
        send(wire, out[:size.value] if size.value else b"", False)
        token, done = receive(wire)
        if done:
            return kept
        if status == OK:  # a server may want an empty answer to its last word
            size.value = 0
        else:
            status = must(connection, sasl.sasl_client_step(connection, token, len(token), None, c.byref(out), c.byref(size)))


def server(wire, connection, _, binding):
    must(None, sasl.sasl_server_init(None, b"test"))
    must(None, sasl.sasl_server_new(b"host", b"server.example.org", None, None, None, None, 0, c.byref(connection)))
    kept = bind(connection, binding)
    offered, size = c.c_char_p(), c.c_uint()
    must(connection, sasl.sasl_listmech(connection, None, b"", b" ", b"", c.byref(offered), c.byref(size), None))
    print("offered", offered.value.decode(), flush=True)
    send(wire, offered.value, False)
    chosen, _ = receive(wire)
    token, _ = receive(wire)
    out = c.POINTER(c.c_char)()
    status = must(connection, sasl.sasl_server_start(connection, chosen, token, len(token), c.byref(out), c.byref(size)))
    while True:
        send(wire, out[:size.value] if size.value else b"", status == OK)
        if status == OK:
            return kept
        token, _ = receive(wire)
        status = must(connection, sasl.sasl_server_step(connection, token, len(token), c.byref(out), c.byref(size)))


def connected(role, address):
    if role == "client":
        return socket.create_connection((address, PORT))
    with socket.create_server((address, PORT)) as listener:
        print("listening", flush=True)
        return listener.accept()[0]


role, address, mechanisms, binding = sys.argv[1:]
wire, connection, who = connected(role, address), c.c_void_p(), c.c_void_p()
kept = {"client": client, "server": server}[role](wire, connection, mechanisms, binding)
must(connection, sasl.sasl_getprop(connection, USERNAME, c.byref(who)))
print("user", c.cast(who, c.c_char_p).value.decode())
