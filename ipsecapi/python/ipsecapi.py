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
PROSPECTS = ("none", "blocked", "negotiated", "protected")
# Attributes by name: number, and what it is.
PROTECTION = {"privacy": (0x0100, int), "integrity": (0x0101, int), "policy_name": (0x0103, str), "tunnel_mode": (0x0106, int), "information": (0x0108, str),
              "latch_state": (0x0182, int), "replay": (0x0186, int), "mode": (0x0187, int), "enforcement": (0x018D, int), "flags": (0x018E, int),
              "key_bits": (0x018F, int), "why": (0x0190, int), "btns": (0x0191, int), "audit": (0x01F0, str), "compression": (0x0102, int),
              "ip_options": (0x0107, int), "nat_traversal": (0x0188, int), "inner": (0x0189, tuple), "outer": (0x018A, tuple), "prospect": (0x0192, int)}
IDENTITY = {"method": (0x0200, int), "certificate_dn": (0x0202, str), "public_key_id": (0x0203, str), "id_type": (0x0280, int), "id_data": (0x0281, str),
            "authenticated": (0x0287, int), "name": (0x0288, str), "certificate_alt_name": (0x0289, str), "audit": (0x01F0, str)}
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
    "probe": (c_int, c_int, c_char_p, c_uint, c_void_p), "get_msg_pToken": (c_int, c_int, c_void_p, c_void_p),
    "export_template": (c_int, c_void_p, c_void_p, POINTER(c_size_t)), "import_template": (c_int, c_char_p, c_size_t, POINTER(c_void_p)),
    "dup_pToken": (c_int, c_void_p, POINTER(c_void_p)), "get_socket_pToken": (c_int, c_int, c_void_p),
    "create_iToken": (c_void_p,), "free_iToken": (c_int, c_void_p), "cmp_iToken": (c_int, c_void_p, c_void_p),
    "dup_iToken": (c_int, c_void_p, POINTER(c_void_p)),
    "export_iToken": (c_int, c_void_p, c_void_p, POINTER(c_size_t)), "import_iToken": (c_int, c_char_p, c_size_t, POINTER(c_void_p)),
    "create_connection_latch": (c_int, c_int, c_void_p, c_void_p, POINTER(c_void_p)), "find_latch": (c_int, c_int, POINTER(c_void_p)),
    "require": (c_int, c_int, c_char_p, c_uint, c_void_p), "connect": (c_int, c_int, c_char_p, c_uint, c_void_p, c_void_p, POINTER(c_void_p)),
    "create_listener_latch": (c_int, c_int, c_char_p, c_uint, POINTER(c_void_p)), "release_latch": (c_int, c_void_p), "free_latch": (c_int, c_void_p),
    "inquire_latch": (c_int, c_void_p, POINTER(c_int), c_void_p), "set_break_policy": (c_int, c_void_p, c_int),
    "cbinding": (c_int, c_int, c_char_p, c_uint),
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

    def __init__(self, number, text, reason):
        super().__init__(number, text)
        self.reason = reason

    def __reduce__(self):
        return type(self), (self.errno, self.strerror, self.reason)

    @classmethod
    def _last(cls):
        """Of this thread's last failed call."""
        text = ctypes.create_string_buffer(1024)
        reason = _library.ipsec_get_error(text, len(text))
        number = ctypes.get_errno()
        return cls(number, f"{os.strerror(number)}: {text.value.decode(errors='replace')}", reason)


def _call(name, *arguments):
    result = getattr(_library, "ipsec_" + name)(*arguments)
    if result is None or result == -1:
        raise Error._last()
    return result


class _Handle:
    """Owns a handle of the library's, which is freed once, with this object: it is neither copied nor pickled."""

    def __reduce_ex__(self, protocol):
        raise TypeError(f"a {type(self).__name__} is of this process, and there is one of it")


def _wanted(token, kind):
    """The handle of what is wanted. None wants nothing; what is no token must not mean that."""
    if token is None:
        return None
    if not isinstance(token, kind) or not token._handle:
        raise TypeError(f"wanted {kind.__name__} or None, found {token!r}")
    return token._handle


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


def _end(octets):
    """Address and port of a struct sockaddr_storage."""
    family, port = struct.unpack_from("=H", octets)[0], struct.unpack_from("!H", octets, 2)[0]
    where = slice(4, 8) if family == _socket.AF_INET else slice(8, 24)
    return _socket.inet_ntop(family, octets[where]), port


_READ = {int: lambda value: c_uint32.from_buffer(value).value, str: lambda value: value.value.decode(errors="replace"),
         tuple: lambda value: (_end(value.raw[:128]), _end(value.raw[128:]))}


class _Token(_Handle):
    """Attributes of the token are attributes of it. A copy is a token of its own."""
    _free, _copy, _compare, _import, _export, _attributes = "", "", "", "", "", {}

    def __init__(self, handle):
        self._handle = c_void_p(handle)

    def __del__(self):
        if getattr(self, "_handle", None):
            getattr(_library, "ipsec_" + self._free)(self._handle)

    def __copy__(self):
        handle = c_void_p()
        _call(self._copy, self._handle, byref(handle))
        return self._of(handle.value)

    def __deepcopy__(self, memo):
        return self.__copy__()

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
        return _READ[kind](value)

    def want(self, name, value):
        """Sets an attribute of a template or of a wanted identity."""
        attribute, kind = self._attributes[name]
        if kind is int and not 0 <= value < 1 << 32:
            raise ValueError(f"wanted a number of 32 bits, found {value}")
        octets = bytes(c_uint32(value)) if kind is int else value.encode()
        _call("set_token_attr", self._handle, attribute, len(octets), octets)
        return self

    @classmethod
    def _of(cls, handle):
        token = cls.__new__(cls)
        _Token.__init__(token, handle)
        return token

    @classmethod
    def load(cls, octets):
        """What export() gave: an identity that is wanted, or a template."""
        handle = c_void_p()
        _call(cls._import, octets, len(octets), byref(handle))
        return cls._of(handle.value)

    def export(self):
        """Octets of an identity that is proven or wanted, or of a template."""
        size = c_size_t(512)
        octets = ctypes.create_string_buffer(size.value)
        _call(self._export, self._handle, octets, byref(size))
        return octets.raw[:size.value]


class Identity(_Token):
    """Identity("fqdn:server.example.org") is wanted; those of a Protection were found. Equal: the same, and each proven or wanted."""
    _free, _copy, _compare, _import, _export, _attributes = "free_iToken", "dup_iToken", "cmp_iToken", "import_iToken", "export_iToken", IDENTITY

    def __init__(self, name):
        super().__init__(_call("create_iToken"))
        self.want("name", name)


class Protection(_Token):
    """Protection(socket) is what protects it now; Protection() is a template that wants nothing yet."""
    _free, _copy, _compare, _import, _export, _attributes = "free_pToken", "dup_pToken", "cmp_pToken", "import_template", "export_template", PROTECTION

    def __init__(self, socket=None):
        super().__init__(_call("create_pToken"))
        if socket is not None:
            _call("get_socket_pToken", _descriptor(socket), self._handle)

    @classmethod
    def probe(cls, socket, address, port):
        """What a connection of this socket would have; `prospect` is an index of PROSPECTS."""
        token, octets = cls(), _address(address, port)
        _call("probe", _descriptor(socket), octets, len(octets), token._handle)
        return token

    @classmethod
    def of_datagram(cls, socket, source, ancillary=()):
        """Of a datagram: `source` is the address and port, `ancillary` the list, that socket.recvmsg() gave."""
        token, name, control = cls(), _address(*source[:2]), b"".join(_control(*item) for item in ancillary)
        room, there = ctypes.create_string_buffer(name, len(name)), ctypes.create_string_buffer(control, len(control) or 1)
        message = _Message(name=ctypes.cast(room, c_void_p), name_length=len(name), control=ctypes.cast(there, c_void_p), control_length=len(control))
        _call("get_msg_pToken", _descriptor(socket), byref(message), token._handle)
        return token

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


def _control(level, kind, octets):
    """A struct cmsghdr with its data, aligned."""
    header = struct.pack("@Nii", struct.calcsize("@Nii") + len(octets), level, kind)
    return header + octets + b"\0" * (-len(octets) % ctypes.sizeof(c_size_t))


def require(socket, address, port, wanted=None):
    """Before connect(): nothing leaves this socket but under the policies for this peer. Until IKE is done, connect() raises BlockingIOError."""
    octets = _address(address, port)
    _call("require", _descriptor(socket), octets, len(octets), _wanted(wanted, Protection))


class Latch(_Handle):
    """The kernel's latch on a socket, which it outlives as an object; release() takes it away. Made by connect(), connection(), listener(), find()."""

    def __init__(self, name, *arguments):
        self._handle = c_void_p()
        _call(name, *arguments, byref(self._handle))

    @classmethod
    def connection(cls, socket, wanted=None, peer=None):
        """Where something is wanted also: protected since the connection began."""
        return cls("create_connection_latch", _descriptor(socket), _wanted(wanted, Protection), _wanted(peer, Identity))

    @classmethod
    def connect(cls, socket, address, port, wanted=None, peer=None):
        """require(), connect() and connection() in one. It waits as long as SO_SNDTIMEO says. A socket with settimeout() does not wait: Error with EAGAIN
        while IKE negotiates, then with EINPROGRESS; when it is connected, connection()."""
        octets = _address(address, port)
        return cls("connect", _descriptor(socket), octets, len(octets), _wanted(wanted, Protection), _wanted(peer, Identity))

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

    def inquire(self):
        """The state, and the Protection."""
        state, token = c_int(), Protection()
        _call("inquire_latch", self._handle, byref(state), token._handle)
        return LATCH_STATES[state.value], token

    def set_break_policy(self, policy):
        _call("set_break_policy", self._handle, policy)

    def release(self):
        _call("release_latch", self._handle)
        self._handle = None

    def __del__(self):
        if getattr(self, "_handle", None):
            _library.ipsec_free_latch(self._handle)


def announce_bindings(socket, address, port):
    """Before connect() or listen(): bindings will be asked for."""
    octets = _address(address, port)
    _call("cbinding", _descriptor(socket), octets, len(octets))


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


class Subscription(_Handle):
    """Events of a socket, all types or those of EVENTS that are named. fileno() is for poll and selectors; iterating gives what came."""

    def __init__(self, socket, *types):
        if unknown := sorted(set(types) - set(EVENTS.values())):
            raise ValueError(f"wanted names of EVENTS, found {', '.join(unknown)}")
        numbers = [number for number, name in EVENTS.items() if name in types] or [_ALL_EVENTS]
        wanted = (_Wanted * len(numbers))(*[_Wanted(number, 1) for number in numbers])
        self._handle, self._partly = c_void_p(), b""
        _call("event_subscribe", _descriptor(socket), wanted, len(numbers), byref(self._handle))

    def fileno(self):
        return _call("event_fd", self._handle)

    def __iter__(self):
        event = Notification()
        while event.event != "broker-down" and _call("event_next", self._handle, byref(event := Notification())):
            yield event

    def recv(self, size, flags=0):
        """The socket's data, at most `size` octets, or a whole Notification, whichever comes first. It waits as long as SO_RCVTIMEO says. On a socket with
        settimeout() it does not wait: Error with EAGAIN; poll the socket and this."""
        room = bytearray(size)
        part = _Part(ctypes.addressof(c_char.from_buffer(room)) if size else None, size)
        while True:
            message = _Message(parts=ctypes.pointer(part), count=1)
            got = _call("recvmsg", self._handle, byref(message), flags)
            if not message.flags & _NOTIFICATION:
                return bytes(room[:got])
            self._partly += room[:got]
            if message.flags & _socket.MSG_EOR:
                whole, self._partly = self._partly, b""
                return Notification.from_buffer_copy(whole)

    def __del__(self):
        if getattr(self, "_handle", None):
            _library.ipsec_event_free(self._handle)
