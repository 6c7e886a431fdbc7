# SPDX-License-Identifier: MIT
"""What IPsec protects a socket, and who is at its other end: <ipsec/ipsecapi.h> for Python, through ctypes. ipsecapi(3) says what
each function does. Sockets are given as such, or as descriptors. A failure raises Error; nothing here is secret."""
import ctypes
import os
import socket as _socket
import struct
from ctypes import POINTER, byref, c_char, c_char_p, c_int, c_size_t, c_ssize_t, c_uint, c_uint8, c_uint16, c_uint32, c_uint64, c_void_p

SECURED, ENCRYPTED, PEER_AUTHENTICATED, LATCHED, ENFORCED, END_TO_END, SINCE_START, REPLAY = (1 << bit for bit in range(8))
LATCH_STATES = ("none", "listener", "established", "broken", "closed", "stale", "monitored")
MODES = ("any", "transport", "tunnel", "beet")
ANY, DISABLE, ENABLE = 0, 1, 2
LOW, MEDIUM, HIGH = 0x10, 0x20, 0x30
DROP, RESET, NOTIFY = 0, 1, 2
# Attributes by name: number, and what it is.
PROTECTION = {"privacy": (0x0100, int), "integrity": (0x0101, int), "policy_name": (0x0103, str), "tunnel_mode": (0x0106, int), "information": (0x0108, str),
              "latch_state": (0x0182, int), "replay": (0x0186, int), "mode": (0x0187, int), "enforcement": (0x018D, int), "flags": (0x018E, int),
              "key_bits": (0x018F, int), "why": (0x0190, int), "btns": (0x0191, int), "audit": (0x01F0, str)}
IDENTITY = {"method": (0x0200, int), "certificate_dn": (0x0202, str), "public_key_id": (0x0203, str), "id_type": (0x0280, int), "id_data": (0x0281, str),
            "authenticated": (0x0287, int), "name": (0x0288, str), "audit": (0x01F0, str)}
_LOCAL, _PEER, _NAME = 0x0180, 0x0181, 0x0288

EVENTS = {0x7001: "latch-change", 0x7002: "rekey", 0x7003: "soft-expire", 0x7004: "protection-change", 0x7005: "identity-change",
          0x7006: "locator-change", 0x7007: "nat-mapping", 0x7008: "peer-dead", 0x700A: "broker-down", 0x700B: "lost"}
_ALL_EVENTS, _NOTIFICATION = 0x7000, 0x8000

# By its name alone, as the dynamic linker finds it.
_library = ctypes.CDLL("libipsecapi.so.0", use_errno=True)
_FUNCTIONS = {
    "api_version": (c_int,), "capabilities": (c_uint,), "strerror": (c_char_p, c_int), "get_error": (c_int, c_char_p, c_size_t),
    "query": (c_int, c_int, c_void_p), "get_peer": (c_int, c_int, c_char_p, c_size_t),
    "create_pToken": (c_void_p,), "free_pToken": (c_int, c_void_p), "cmp_pToken": (c_int, c_void_p, c_void_p),
    "dup_pToken": (c_int, c_void_p, POINTER(c_void_p)), "get_socket_pToken": (c_int, c_int, c_void_p),
    "create_iToken": (c_void_p,), "free_iToken": (c_int, c_void_p), "cmp_iToken": (c_int, c_void_p, c_void_p),
    "export_iToken": (c_int, c_void_p, c_void_p, POINTER(c_size_t)), "import_iToken": (c_int, c_char_p, c_size_t, POINTER(c_void_p)),
    "create_connection_latch": (c_int, c_int, c_void_p, c_void_p, POINTER(c_void_p)), "find_latch": (c_int, c_int, POINTER(c_void_p)),
    "require": (c_int, c_int, c_char_p, c_uint, c_void_p), "connect": (c_int, c_int, c_char_p, c_uint, c_void_p, c_void_p, POINTER(c_void_p)),
    "create_listener_latch": (c_int, c_int, c_char_p, c_uint, POINTER(c_void_p)), "release_latch": (c_int, c_void_p), "free_latch": (c_int, c_void_p),
    "inquire_latch": (c_int, c_void_p, POINTER(c_int), c_void_p), "set_break_policy": (c_int, c_void_p, c_int),
    "cbinding_types": (c_int, c_int, c_char_p, POINTER(c_size_t)), "cbinding_data": (c_int, c_int, c_char_p, c_int, c_void_p, POINTER(c_size_t)),
    "event_subscribe": (c_int, c_int, c_void_p, c_size_t, POINTER(c_void_p)), "event_fd": (c_int, c_void_p), "event_next": (c_int, c_void_p, c_void_p),
    "event_free": (c_int, c_void_p), "recvmsg": (c_ssize_t, c_void_p, c_void_p, c_int),
    "get_token_attr": (c_int, c_void_p, c_uint32, POINTER(c_uint32), c_void_p), "set_token_attr": (c_int, c_void_p, c_uint32, c_uint32, c_void_p),
}
for _name, (_result, *_arguments) in _FUNCTIONS.items():
    _function = getattr(_library, "ipsec_" + _name)
    _function.restype, _function.argtypes = _result, _arguments


class Error(OSError):
    """errno and text as of any system call; `reason` is the number of enum ipsec_err."""

    def __init__(self):
        text = ctypes.create_string_buffer(1024)
        self.reason = _library.ipsec_get_error(text, len(text))
        number = ctypes.get_errno()
        super().__init__(number, f"{os.strerror(number)}: {text.value.decode(errors='replace')}")


def _call(name, *arguments):
    result = getattr(_library, "ipsec_" + name)(*arguments)
    if result is None or result == -1:
        raise Error()
    return result


def _descriptor(socket):
    return socket if isinstance(socket, int) else socket.fileno()


class SecurityInfo(ctypes.Structure):
    _fields_ = [(name, c_uint32) for name in ("size", "flags", "latch_state", "auth_method", "mode", "key_bits", "why")]

    @property
    def secured(self):
        return bool(self.flags & SECURED)

    @property
    def reason(self):
        """Why it is not secured, for people."""
        return strerror(self.why)


def version():
    return _library.ipsec_api_version()


def capabilities():
    return _library.ipsec_capabilities()


def strerror(reason):
    return _library.ipsec_strerror(reason).decode()


def query(socket):
    info = SecurityInfo(size=ctypes.sizeof(SecurityInfo))
    _call("query", _descriptor(socket), byref(info))
    return info


def peer(socket):
    """The proven identity at the other end, "fqdn:client.example.org"."""
    name = ctypes.create_string_buffer(1040)
    _call("get_peer", _descriptor(socket), name, len(name))
    return name.value.decode()


class _Token:
    """A handle of the library's, freed with this object. Attributes of the token are attributes of it."""
    _free, _compare, _attributes = "", "", {}

    def __init__(self, handle):
        self._handle = c_void_p(handle)

    def __del__(self):
        if getattr(self, "_handle", None):
            getattr(_library, "ipsec_" + self._free)(self._handle)

    def __eq__(self, other):
        return type(other) is type(self) and _call(self._compare, self._handle, other._handle) == 0

    __hash__ = None

    def __getattr__(self, name):
        if name.startswith("_") or name not in self._attributes:
            raise AttributeError(name)
        attribute, kind = self._attributes[name]
        length = c_uint32()
        _call("get_token_attr", self._handle, attribute, byref(length), None)
        value = ctypes.create_string_buffer(length.value)
        _call("get_token_attr", self._handle, attribute, byref(length), value)
        return c_uint32.from_buffer(value).value if kind is int else value.value.decode(errors="replace")

    def want(self, name, value):
        """Sets an attribute of a template or of a wanted identity."""
        attribute, kind = self._attributes[name]
        octets = bytes(c_uint32(value)) if kind is int else value.encode()
        _call("set_token_attr", self._handle, attribute, len(octets), octets)
        return self


class Identity(_Token):
    """Identity("fqdn:server.example.org") is wanted; those of a Protection were found. Equal: the same, and each proven or wanted."""
    _free, _compare, _attributes = "free_iToken", "cmp_iToken", IDENTITY

    def __init__(self, name):
        super().__init__(_call("create_iToken"))
        self.want("name", name)

    @classmethod
    def _of(cls, handle):
        token = cls.__new__(cls)
        _Token.__init__(token, handle)
        return token

    @classmethod
    def load(cls, octets):
        """What export() gave, as an identity that is wanted."""
        handle = c_void_p()
        _call("import_iToken", octets, len(octets), byref(handle))
        return cls._of(handle.value)

    def export(self):
        size = c_size_t(512)
        octets = ctypes.create_string_buffer(size.value)
        _call("export_iToken", self._handle, octets, byref(size))
        return octets.raw[:size.value]


class Protection(_Token):
    """Protection(socket) is what protects it now; Protection() is a template that wants nothing yet."""
    _free, _compare, _attributes = "free_pToken", "cmp_pToken", PROTECTION

    def __init__(self, socket=None):
        super().__init__(_call("create_pToken"))
        if socket is not None:
            _call("get_socket_pToken", _descriptor(socket), self._handle)

    def _end(self, attribute):
        handle, length = c_void_p(), c_uint32(ctypes.sizeof(c_void_p))
        _call("get_token_attr", self._handle, attribute, byref(length), byref(handle))
        return Identity._of(handle.value)

    @property
    def local(self):
        return self._end(_LOCAL)

    @property
    def peer(self):
        return self._end(_PEER)


def _address(address, port=0):
    """The octets of a struct sockaddr_in or sockaddr_in6."""
    if ":" in address:
        return struct.pack("=HHI16sI", _socket.AF_INET6, _socket.htons(port), 0, _socket.inet_pton(_socket.AF_INET6, address), 0)
    return struct.pack("=HH4s8x", _socket.AF_INET, _socket.htons(port), _socket.inet_pton(_socket.AF_INET, address))


def require(socket, address, port, wanted=None):
    """Before connect(): nothing leaves this socket but under the policies for this peer. Until IKE is done, connect() raises BlockingIOError."""
    octets = _address(address, port)
    _call("require", _descriptor(socket), octets, len(octets), wanted and wanted._handle)


class Latch:
    """The kernel's latch on a socket, which it outlives as an object; release() takes it away. Made by connect(), connection(), listener(), find()."""

    def __init__(self, name, *arguments):
        self._handle = c_void_p()
        _call(name, *arguments, byref(self._handle))

    @classmethod
    def connection(cls, socket, wanted=None, peer=None):
        return cls("create_connection_latch", _descriptor(socket), wanted and wanted._handle, peer and peer._handle)

    @classmethod
    def connect(cls, socket, address, port, wanted=None, peer=None):
        """require(), connect() and connection() in one."""
        octets = _address(address, port)
        return cls("connect", _descriptor(socket), octets, len(octets), wanted and wanted._handle, peer and peer._handle)

    @classmethod
    def listener(cls, socket, peer_address):
        octets = _address(peer_address)
        return cls("create_listener_latch", _descriptor(socket), octets, len(octets))

    @classmethod
    def find(cls, socket):
        return cls("find_latch", _descriptor(socket))

    @property
    def state(self):
        state = c_int()
        _call("inquire_latch", self._handle, byref(state), None)
        return LATCH_STATES[state.value]

    def set_break_policy(self, policy):
        _call("set_break_policy", self._handle, policy)

    def release(self):
        _call("release_latch", self._handle)
        self._handle = None

    def __del__(self):
        if getattr(self, "_handle", None):
            _library.ipsec_free_latch(self._handle)


def bindings(socket, initiator, kind="x-ipsec-exporter-v1"):
    """Channel bindings in the form of RFC 5056, for GSS-API: equal at both ends of one connection."""
    size = c_size_t(128)
    octets = ctypes.create_string_buffer(size.value)
    _call("cbinding_data", _descriptor(socket), kind.encode(), int(initiator), octets, byref(size))
    return octets.raw[:size.value]


def binding_types(socket):
    size = c_size_t(256)
    names = ctypes.create_string_buffer(size.value)
    _call("cbinding_types", _descriptor(socket), names, byref(size))
    return names.value.decode().split(":")


class _Wanted(ctypes.Structure):
    _fields_ = [("type", c_uint16), ("on", c_uint8)]


class Notification(ctypes.Structure):
    _fields_ = [("type", c_uint16), ("flags", c_uint16), ("length", c_uint32), ("when", c_uint64), ("state", c_uint32), ("reason", c_uint32),
                ("missing", c_uint32), ("_peer", c_char * 276), ("_text", c_char * 256)]

    @property
    def event(self):
        return EVENTS.get(self.type, "unknown")

    @property
    def peer(self):
        return self._peer.decode(errors="replace")

    @property
    def text(self):
        return self._text.decode(errors="replace")


class _Part(ctypes.Structure):
    _fields_ = [("base", c_void_p), ("length", c_size_t)]


class _Message(ctypes.Structure):
    _fields_ = [("name", c_void_p), ("name_length", c_uint32), ("parts", POINTER(_Part)), ("count", c_size_t), ("control", c_void_p),
                ("control_length", c_size_t), ("flags", c_int)]


class Subscription:
    """Events of a socket, all types or those of EVENTS that are named. fileno() is for poll and selectors; iterating gives what came."""

    def __init__(self, socket, *types):
        numbers = [number for number, name in EVENTS.items() if name in types] or [_ALL_EVENTS]
        wanted = (_Wanted * len(numbers))(*[_Wanted(number, 1) for number in numbers])
        self._handle = c_void_p()
        _call("event_subscribe", _descriptor(socket), wanted, len(numbers), byref(self._handle))

    def fileno(self):
        return _call("event_fd", self._handle)

    def __iter__(self):
        event = Notification()
        while event.event != "broker-down" and _call("event_next", self._handle, byref(event := Notification())):
            yield event

    def recv(self, size, flags=0):
        """The socket's data as octets, or a Notification, whichever comes first."""
        room = ctypes.create_string_buffer(max(size, ctypes.sizeof(Notification)))
        message = _Message(parts=ctypes.pointer(_Part(ctypes.cast(room, c_void_p), len(room))), count=1)
        got = _call("recvmsg", self._handle, byref(message), flags)
        return Notification.from_buffer_copy(room) if message.flags & _NOTIFICATION else room.raw[:got]

    def __del__(self):
        if getattr(self, "_handle", None):
            _library.ipsec_event_free(self._handle)
