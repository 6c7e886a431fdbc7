# SPDX-License-Identifier: MIT
"""relay.py connect|accept PORT LETTER PROGRAM...: runs a sample program of Cyrus SASL over one TCP connection. Its lines that begin with the
letter are for the peer, others for people. The program inherits the connection and nothing else of the relay's."""
import socket
import subprocess
import sys
import threading

role, port, letter, program = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode(), sys.argv[4:]
if role == "accept":
    with socket.create_server(("10.1.0.2", port)) as listener:
        connection, _ = listener.accept()
else:
    connection = socket.create_connection(("10.1.0.2", port))
child = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sys.stdout, pass_fds=[connection.fileno()])


def from_peer():
    for line in connection.makefile("rb"):
        child.stdin.write(line)
        child.stdin.flush()
    child.stdin.close()


threading.Thread(target=from_peer, daemon=True).start()
for said in child.stdout:
    print(said.decode(errors="replace").strip(), flush=True)
    # Where the server has no last word, the sample server sends an empty one, which its client cannot read.
    if said.startswith(letter + b": ") and (letter == b"C" or said.strip() != b"S:"):
        connection.sendall(said)
print("status", child.wait(), flush=True)
connection.shutdown(socket.SHUT_WR)
