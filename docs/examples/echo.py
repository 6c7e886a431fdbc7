#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""echo.c in Python:  echo.py serve ADDRESS PORT PEER | echo.py call ADDRESS PORT PEER TEXT"""
import socket
import sys
import time

import ipsecapi


def admit(connection, peer):
    """Raises where the connection is not with whom we want, or not encrypted, or may not have been so since it began: what waits to be
    read would be anybody's."""
    wanted = ipsecapi.Protection().want("privacy", ipsecapi.ENABLE)
    return ipsecapi.Latch.connection(connection, wanted, ipsecapi.Identity(peer))


def heard(connection, latch):
    """What was read counts only where the latch held until then. Empty: the other end hung up."""
    text = connection.recv(1024)
    if text and latch.state != "established":
        raise RuntimeError("the latch broke")
    return text


def serve_one(connection, peer):
    try:
        latch = admit(connection, peer)
        while text := heard(connection, latch):
            print(f"{ipsecapi.peer(connection)}: {text.decode(errors='replace')}", flush=True)
            connection.sendall(text)
    except (OSError, RuntimeError) as error:
        print(f"refused: {error}", flush=True)


def serve(where, peer):
    with socket.create_server(where) as listener:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError as error:
                print(f"accept: {error}", flush=True)
                time.sleep(1)  # as for too many open files: what will not pass by itself is not asked for without end
                continue
            with connection:
                serve_one(connection, peer)


def call(where, peer, text):
    with socket.create_connection(where) as connection:
        latch = admit(connection, peer)
        connection.sendall(text.encode())
        answer = heard(connection, latch)
        if not answer:
            raise RuntimeError("the server hung up")
        print(answer.decode(errors="replace"))


def main(role, address, port, peer, *text):
    try:
        serve((address, int(port)), peer) if role == "serve" else call((address, int(port)), peer, *text)
    except (OSError, RuntimeError) as error:
        print(f"refused: {error}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
