# SPDX-License-Identifier: MIT
"""Drives api_peer.py on a host: one end of a connection that asks the sockets-layer API."""
import json
import subprocess
import threading
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
# With the library and the module of the tree.
ENVIRONMENT = {"PYTHONPATH": str(TOP / "ipsecapi/python"), "LD_LIBRARY_PATH": "/run/bin", "PYTHONDONTWRITEBYTECODE": "1"}
ALL = 255  # IPSEC_INFO_...
SECURED, ENCRYPTED, PEER_AUTHENTICATED, LATCHED, ENFORCED, END_TO_END, SINCE_START, REPLAY = (1 << bit for bit in range(8))


class ApiPeer:
    def __init__(self, host, uid=None, program="api_peer.py"):
        self.host = host
        self.process = host.popen(["python3", str(TOP / "tests/lab" / program)], env=ENVIRONMENT, uid=uid, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=open(f"{host.directory}/api.log", "ab"), text=True, bufsize=1)

    def cmd(self, command, *arguments, **options):
        """One command; its whole answer."""
        self.process.stdin.write(json.dumps([command, options, *arguments]) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"api_peer of {self.host.name} died at {command}: {self.host.log('api.log')[-1500:]}")
        return json.loads(line)

    def value(self, command, *arguments, **options):
        """What a command that must succeed gives."""
        answer = self.cmd(command, *arguments, **options)
        self.host.lab.need(f"{self.host.name}: {command}", answer["ok"], answer)
        return answer["value"]


def peers(lab, port=7000, client=None, server=None, address="10.1.0.2"):
    """Two connected ends; client and server are uids."""
    one, other = ApiPeer(lab.a, client), ApiPeer(lab.b, server)
    other.value("listen", address, port)
    one.value("connect", address, port)
    other.value("accept")
    return one, other


def refused(lab, name, answer, errno, phrase):
    return lab.expect(f"{name}: {errno}, '{phrase}'", not answer["ok"] and answer["errno"] == errno and phrase in answer["text"], answer)


def meanwhile(lab, ask, change):
    """The answer to a question that waits, while something changes."""
    answer = []
    waiter = threading.Thread(target=lambda: answer.append(ask()))
    waiter.start()
    lab.wait(lambda: False, 0.3)
    change()
    waiter.join()
    return answer[0]


def polled(lab, end, wanted, change, seconds=5):
    """What a program blocked in poll hears until `wanted` is among it: that event or None, and all."""
    def ask():
        heard = []
        lab.wait(lambda: heard.extend(end.value("poll", seconds)) or any(map(wanted, heard)), 2 * seconds)
        return heard
    heard = meanwhile(lab, ask, change)
    return next(filter(wanted, heard), None), heard


def polled_both(lab, ends, wanted, change):
    """The same for two ends at once."""
    outer = []
    inner = polled(lab, ends[1], wanted, lambda: outer.append(polled(lab, ends[0], wanted, change)))
    return outer[0], inner


def is_event(name, **facts):
    return lambda event: event["event"] == name and all(event[key] == value for key, value in facts.items())
