#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Answers who greets, by name: the server to hello.c.
  hello.py stream|datagram ADDRESS PORT
  hello.py tls ADDRESS PORT CERTIFICATE KEY"""
import hmac
import socket
import ssl
import sys
import time

import ipsecapi


def admit(connection):
    """Whoever it is, encrypted since it began: before a word is read, which would be anybody's."""
    return ipsecapi.Latch.connection(connection, ipsecapi.Protection().want("privacy", ipsecapi.ENABLE))


def greeted(latch, text):
    """What was read counts only where the latch held until then."""
    state, found = latch.inquire()
    if state != "established" or not text:
        raise ConnectionError("the latch broke" if text else "nothing was said")
    return answer(found, text)


def answer(found, text):
    if not found.peer.authenticated:
        raise ConnectionError("nobody whom IKE proved")
    return found.peer.name.encode() + b": " + text


def stream(listener):
    with listener.accept()[0] as connection:
        latch = admit(connection)
        connection.sendall(greeted(latch, connection.recv(256)))


def tls(listener, context):
    """A binding of the IPsec channel comes first."""
    with listener.accept()[0] as connection:
        latch = admit(connection)
        mine = ipsecapi.bindings(connection, initiator=False)
        with context.wrap_socket(connection, server_side=True) as inner:  # the same descriptor
            if not hmac.compare_digest(inner.recv(len(mine)), mine):
                raise ConnectionError("the other end means another IPsec channel")
            inner.sendall(greeted(latch, inner.recv(256)))


def datagram(address):
    """What is known of a datagram, is known of where it came from, and now; only the answer has a latch, to the same peer. A socket of its
    own for each: what else came to it may be anybody's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(address)
        text, sender = one.recvfrom(256)
        found = ipsecapi.Protection.of_datagram(one, sender)
        if not found.flags & ipsecapi.ENCRYPTED:
            raise ConnectionError(found.information)
        one.connect(sender)
        ipsecapi.Latch.connection(one, ipsecapi.Protection().want("privacy", ipsecapi.ENABLE), found.peer)
        one.send(answer(found, text))


def main(kind, address, port, *files):
    where = (address, int(port))
    if kind == "tls":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
    listener = None if kind == "datagram" else socket.create_server(where)
    while True:
        try:
            {"stream": lambda: stream(listener), "tls": lambda: tls(listener, context), "datagram": lambda: datagram(where)}[kind]()
        except OSError as error:
            print("refused:", error, flush=True)
            time.sleep(0.1)  # what will not pass by itself is not asked for without end


main(*sys.argv[1:])
