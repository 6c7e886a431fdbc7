# SPDX-License-Identifier: MIT
"""What others than the process that made a socket find on it: a copy of its descriptor, a child, a program that was executed, a process that it was
sent to, and many threads. Part of api_peer.py; run by itself with a descriptor, the program that was executed."""
import errno
import json
import os
import socket
import subprocess
import sys
import threading
import time

import ipsecapi


def look(connected):
    """Whatever can be known without a handle of before."""
    return {"peer": ipsecapi.peer(connected), "flags": ipsecapi.query(connected).flags, "latch": ipsecapi.Latch.find(connected).state}


def patiently(ask, seconds=30):
    """So many at once make the broker busy, which it says."""
    until = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except ipsecapi.Error as error:
            if error.errno not in (errno.EAGAIN, errno.ETIMEDOUT) or time.monotonic() > until:
                raise
            time.sleep(0.1)


class Holders:
    def by_copy(self):
        with socket.socket(fileno=os.dup(self.connected.fileno())) as copy:
            return look(copy)

    def by_child(self):
        """And the handles that it inherits: the latch is read, the subscription is its parent's alone."""
        reader, writer = os.pipe()
        if os.fork() == 0:
            found = {**look(self.connected), "inherited": self.latches["connected"].state, "events": self.refusal(lambda: list(self.events))}
            self.events = ipsecapi.Subscription(self.connected)
            os.write(writer, json.dumps({**found, "anew": list(self.events)}).encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as answer:
            found = answer.read()
        os.wait()
        return json.loads(found)

    def refusal(self, ask):
        try:
            return str(ask())
        except ipsecapi.Error as error:
            return os.strerror(error.errno)

    def by_program(self):
        fd = self.connected.fileno()
        done = subprocess.run([sys.executable, __file__, str(fd)], pass_fds=[fd], capture_output=True, text=True)
        return json.loads(done.stdout) if done.returncode == 0 else done.stderr

    def meet(self, place):
        """`place`: in this network namespace."""
        self.meeting = socket.socket(socket.AF_UNIX)
        self.meeting.bind("\0" + place)
        self.meeting.listen()

    def give(self, place, keep=True):
        with socket.socket(socket.AF_UNIX) as other:
            other.connect("\0" + place)
            socket.send_fds(other, [b"."], [self.connected.fileno()])
        if not keep:
            self.connected.close()

    def take(self):
        with self.meeting.accept()[0] as other:
            _, [fd], _, _ = socket.recv_fds(other, 1, 1)
        self.connected = socket.socket(fileno=fd)
        return look(self.connected)

    def threads(self, addresses, port, count, rounds):
        """Each with a connection of its own: whom it names, every time, and its latch."""
        connections = [socket.create_connection((addresses[number % len(addresses)], port), 10) for number in range(count)]
        found, start = [None] * count, threading.Barrier(count)

        def ask(number):
            start.wait()
            latch = patiently(lambda: ipsecapi.Latch.connection(connections[number]))
            found[number] = sorted({(patiently(lambda: ipsecapi.peer(connections[number])), latch.state) for _ in range(rounds)})
        asking = [threading.Thread(target=ask, args=(number,)) for number in range(count)]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
        return found


if __name__ == "__main__":
    print(json.dumps(look(socket.socket(fileno=int(sys.argv[1])))))
