# SPDX-License-Identifier: MIT
"""pg_gss.py HOST PORT MECHANISM SQL: one query over PostgreSQL's GSS encryption, with the mechanism named, as libpq does not name it.
The one connection of this process is the context's. Prints the columns of the first row as psql -At does."""
import socket
import sys

import gssapi

host, port, mechanism, sql = sys.argv[1], int(sys.argv[2]), gssapi.OID.from_int_seq(sys.argv[3]), sys.argv[4]
GSSENC_REQUEST, PROTOCOL_3 = 80877104, 196608
connection = socket.create_connection((host, port))


def read(count):
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise SystemExit("closed by the server")
        data += more
    return data


def number(value):
    return value.to_bytes(4, "big")


def packet():
    return read(int.from_bytes(read(4), "big"))


connection.sendall(number(8) + number(GSSENC_REQUEST))
if read(1) != b"G":
    raise SystemExit("the server wants no GSS encryption")
context = gssapi.SecurityContext(name=gssapi.Name("postgres@" + host, gssapi.NameType.hostbased_service), mech=mechanism, usage="initiate")
token = context.step()
while token or not context.complete:
    if token:
        connection.sendall(number(len(token)) + token)
    token = None if context.complete else context.step(packet())


def send(message):
    wrapped = context.wrap(message, True).message
    connection.sendall(number(len(wrapped)) + wrapped)


startup = number(PROTOCOL_3) + b"user\0alice\0database\0postgres\0\0"
send(number(len(startup) + 4) + startup)
send(b"Q" + number(len(sql) + 5) + sql.encode() + b"\0")
stream, ready = b"", 0
while ready < 2:
    stream += context.unwrap(packet()).message
    while len(stream) >= 5 and len(stream) > int.from_bytes(stream[1:5], "big"):
        size = int.from_bytes(stream[1:5], "big") + 1
        kind, body, stream = stream[:1], stream[5:size], stream[size:]
        ready += kind == b"Z"
        if kind == b"E":
            raise SystemExit(body.replace(b"\0", b" ").decode())
        if kind == b"D":
            columns, rest = [], body[2:]
            while rest:
                length = int.from_bytes(rest[:4], "big")
                columns.append(rest[4:4 + length].decode())
                rest = rest[4 + length:]
            print("|".join(columns))
