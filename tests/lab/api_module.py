# SPDX-License-Identifier: MIT
"""What the Python module refuses before the library is asked, and what it copies. Part of api_peer.py."""
import copy
import pickle

import ipsecapi

SERVER, OTHER = "fqdn:server.example.org", "fqdn:other.example.org"


def raised(ask):
    try:
        return f"nothing, but {ask()!r}"
    except Exception as error:  # noqa: BLE001 whichever it is
        return type(error).__name__


class Module:
    def copies(self):
        """Tokens are copied whole; handles of the kernel's things are not."""
        peer, wanted = ipsecapi.Identity(SERVER), ipsecapi.Protection().want("key_bits", 128)
        found = [copy.copy(peer), copy.deepcopy(peer), copy.copy(wanted), copy.deepcopy([wanted])[0]]
        peer.want("name", OTHER)
        wanted.want("key_bits", 256)
        said = [token.name if isinstance(token, ipsecapi.Identity) else token.key_bits for token in found]
        del found, peer, wanted
        others = {type(one).__name__: [raised(lambda: copy.copy(one)), raised(lambda: copy.deepcopy(one)), raised(lambda: pickle.dumps(one))]
                  for one in (self.latches["connected"], ipsecapi.Subscription(self.connected))}
        return {"tokens": said, "pickled": raised(lambda: pickle.dumps(ipsecapi.Identity(SERVER))), **others}

    def misuse(self):
        wants, connection = ipsecapi.Protection(), lambda *wanted: ipsecapi.Latch.connection(self.connected, *wanted)
        asked = {"a number of 33 bits": lambda: wants.want("key_bits", 2**32 + 5), "a negative one": lambda: wants.want("key_bits", -1),
                 "an event that is none": lambda: ipsecapi.Subscription(self.connected, "rekey", "latch-chagne"),
                 "a name for an identity": lambda: connection(None, SERVER), "an empty name": lambda: connection(None, ""),
                 "no for nobody": lambda: connection(False), "an identity for a template": lambda: connection(ipsecapi.Identity(SERVER)),
                 "an identity without handle": lambda: connection(None, ipsecapi.Identity._of(None)),
                 "a requirement of no token": lambda: ipsecapi.require(self.connected, "10.1.0.2", 1, 0)}
        return {what: raised(ask) for what, ask in asked.items()}

    def error_of_another_process(self):
        """As multiprocessing hands it on."""
        try:
            ipsecapi.Latch.connection(self.connected, None, ipsecapi.Identity(OTHER))
        except ipsecapi.Error as error:
            other = pickle.loads(pickle.dumps(error))
            return type(other) is ipsecapi.Error and (str(other), other.errno, other.reason) == (str(error), error.errno, error.reason)

    def recv_some(self, size):
        """By the subscription: at most so much, or a whole event."""
        got = self.events.recv(size)
        return len(got) if isinstance(got, bytes) else got.event
