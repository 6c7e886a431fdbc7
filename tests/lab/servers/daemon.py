# SPDX-License-Identifier: MIT
"""What the modules of real programs share: a daemon that is waited for, and what a run of client and server showed."""
import contextlib
import os
import shutil
from dataclasses import dataclass

USERS = {"alice": 2001, "bob": 2002, "mallory": 2003, "postgres": 2004, "ldap": 2005, "www": 2006, "sshd": 2007}
SERVER = "server.example.org"


@dataclass
class Facts:
    """What one run of a client against its server showed."""
    ok: bool  # the client ended as it does when all went well
    user: str  # whom the server took the client for
    protection: str  # what the client says protects its messages: "encrypted", "ssf 256", or nothing
    said: str  # both sides' words, for the detail of an assertion


def folder(host, name, user):
    """A fresh folder of the server's user. What is in its `data` is not kept with the logs."""
    path = f"{host.directory}/{name}"
    shutil.rmtree(path, ignore_errors=True)
    for each in (path, f"{path}/data"):
        os.makedirs(each, mode=0o700)
        os.chown(each, USERS[user], USERS[user])
    return path


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def listens(process, port):
    with open(f"/proc/{process.pid}/net/tcp") as table:
        return f":{port:04X} 00000000:0000 0A" in table.read()


def serve(host, argv, port, log, **options):
    """Starts a daemon that stays in the foreground and waits until it listens; it ends with the scenario."""
    daemon = host.popen(argv, log=log, **options)
    host.lab.wait(lambda: daemon.poll() is not None or listens(daemon, port), 30)
    if daemon.poll() is not None or not listens(daemon, port):
        raise RuntimeError(f"{argv[0]} of {host.name} does not listen on {port}: {host.log(log)[-1500:]}")
    return daemon


@contextlib.contextmanager
def running(host, daemon):
    """The daemon, which ends with the block: for what starts one several times."""
    yield daemon
    daemon.terminate()
    daemon.wait(timeout=20)
    host.processes.remove(daemon)


def must(done):
    """What has to work before anything can be shown."""
    if done.returncode != 0:
        raise RuntimeError(f"{done.args[0]}: {done.stdout[-800:]}{done.stderr[-800:]}")
    return done


def service(name, user, port):
    """The broker's line that lets this user's program accept as this service."""
    return f'[[service]]\nuser = "{user}"\nname = "{name}"\nport = {port}\n'
