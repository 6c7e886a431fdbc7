#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""echo.c in Python:  echo.py serve ADDRESS PORT PEER | echo.py call ADDRESS PORT PEER TEXT"""
import socket
import sys

import ipsecapi


def admit(connection, peer):
    """Raises where the connection is not with whom we want, or not encrypted."""
    wanted = ipsecapi.Protection().want("privacy", ipsecapi.ENABLE)
    return ipsecapi.Latch.connection(connection, wanted, ipsecapi.Identity(peer))


def heard(connection, latch):
    """What was read counts only where the latch held until then."""
    text = connection.recv(1024)
    if text and latch.state != "established":
        raise RuntimeError("the latch broke")
    return text


def serve(where, peer):
    with socket.create_server(where) as listener:
        while True:
            connection, _ = listener.accept()
            with connection:
                try:
                    latch = admit(connection, peer)
                    while text := heard(connection, latch):
                        print(f"{ipsecapi.peer(connection)}: {text.decode()}", flush=True)
                        connection.sendall(text)
                except (OSError, RuntimeError) as error:
                    print(f"refused: {error}", flush=True)


def call(where, peer, text):
    with socket.create_connection(where) as connection:
        latch = admit(connection, peer)
        connection.sendall(text.encode())
        print(heard(connection, latch).decode())


def main(role, address, port, peer, *text):
    try:
        serve((address, int(port)), peer) if role == "serve" else call((address, int(port)), peer, *text)
    except (OSError, RuntimeError) as error:
        print(f"refused: {error}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
