# SPDX-License-Identifier: MIT
"""PostgreSQL 15: a server that lets in only who comes with GSS encryption, and psql."""
import hashlib
import os
import random
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from servers.daemon import SERVER, USERS, Facts, folder, must, running, serve, service, write

PROGRAM = "psql, PostgreSQL"
PACKAGES = ("postgresql-15", "postgresql-client-15", "libpq5")
BIN = "/usr/lib/postgresql/15/bin"
PORT = 5432
SERVICE = service("postgres", "postgres", PORT)
UID = USERS["postgres"]
TEMPLATE = "/tmp/postgres-template"  # initdb takes seconds here: once a boot

SETTINGS = """listen_addresses = '10.1.0.2'
unix_socket_directories = ''
shared_buffers = 16MB
max_connections = 10
fsync = off
autovacuum = off
jit = off
log_connections = on
wal_level = minimal
max_wal_senders = 0
"""  # the last two: a table that is filled in the transaction that makes it costs no log
# Both kinds of names: a Kerberos principal, and a host with its user.
ACCESS = "hostgssenc all all 10.1.0.0/24 gss include_realm=1 map=lab\n"
IN_CLEAR = "hostnogssenc all all 10.1.0.0/24 trust\n"  # to compare with
NAMES = r"""lab /^([^/@]+)@EXAMPLE\.ORG$ \1
lab /^ipsec:fqdn:client\.example\.org/([a-z]+)$ \1
"""
WHO = "select gss_authenticated, encrypted, principal, current_user from pg_stat_gssapi where pid = pg_backend_pid()"


def template(host):
    if os.path.exists(TEMPLATE):
        return
    os.mkdir(TEMPLATE, mode=0o700)
    os.chown(TEMPLATE, UID, UID)
    make = [f"{BIN}/initdb", "-D", TEMPLATE, "-U", "postgres", "-A", "reject", "-E", "UTF8", "--no-locale", "--no-sync"]
    must(host.run(make, uid=UID, timeout=120))
    single = [f"{BIN}/postgres", "--single", "-D", TEMPLATE, "postgres"]
    must(host.run(["/bin/sh", "-c", f"echo 'create role alice login; grant create on schema public to alice;' | {' '.join(single)}"], uid=UID))


def is_ready(host):
    """It listens before it lets anybody in."""
    said = host.log("postgres.log")
    return said.count("ready to accept connections") == said.count("starting PostgreSQL")


def start(host, env=None, more=""):
    """`more`: further lines of pg_hba.conf."""
    template(host)
    directory = folder(host, "postgres", "postgres")
    data = f"{directory}/data"
    shutil.rmtree(data)
    must(host.run(["cp", "-a", TEMPLATE, data], uid=UID))
    write(f"{data}/postgresql.conf", SETTINGS + f"krb_server_keyfile = 'FILE:{host.directory}/keytab'\n")
    write(f"{data}/pg_hba.conf", ACCESS + more)
    write(f"{data}/pg_ident.conf", NAMES)
    server = serve(host, [f"{BIN}/postgres", "-D", data], PORT, "postgres.log", env=env, uid=UID)
    host.lab.wait(lambda: is_ready(host), 30)
    return server


def command(sql, mode):
    words = f"host={SERVER} port={PORT} user=alice dbname=postgres gssencmode={mode} sslmode=disable connect_timeout=20"
    return [f"{BIN}/psql", "-XqAt", "-v", "ON_ERROR_STOP=1", words, "-c", sql]


def psql(host, sql, env=None, mode="require", timeout=120, more=(), **options):
    """`more`: further words for psql."""
    return host.run([*command(sql, mode), *more], env=env, uid=USERS["alice"], timeout=timeout, **options)


def ask(lab, env=None):
    """Whom the server takes psql for."""
    done = psql(lab.a, WHO, env)
    columns = done.stdout.strip().split("|")
    good = done.returncode == 0 and len(columns) == 4 and columns[0] == "t" and columns[3] == "alice"
    encrypted = "encrypted" if good and columns[1] == "t" else ""
    return Facts(good, columns[2] if good else "", encrypted, done.stdout + done.stderr + lab.b.log("postgres.log")[-800:])


def run(lab, client=None, server=None):
    """psql with gssencmode=require; `client` and `server` are what each end's environment has more."""
    with running(lab.b, start(lab.b, server)):
        return ask(lab, client)


def rows(octets):
    """Lines that COPY reads, about that many octets."""
    return b"".join(b"%d\t%s\n" % (number, os.urandom(495).hex().encode()) for number in range(octets // 1000))


def copy_both_ways(host, data, env=None, mode="require"):
    """These rows go into a fresh table `bulk` by COPY FROM and come back by COPY TO; what came back, and the seconds of each."""
    with tempfile.TemporaryFile() as there:
        there.write(data)
        there.seek(0)
        started = time.monotonic()
        must(psql(host, "drop table if exists bulk; create table bulk (n int, t text); copy bulk from stdin", env, mode, stdin=there))
    between = time.monotonic()
    back = must(psql(host, "copy bulk to stdout", env, mode)).stdout.encode()
    return back, between - started, time.monotonic() - between


class Stream:
    """The same rows again and again, never all in memory; `digest` is of what went by."""

    def __init__(self, seed, octets):
        self.seed, self.octets, self.digest = seed, octets, hashlib.sha256()

    def __iter__(self):
        random_octets = random.Random(self.seed)
        for first in range(0, self.octets // 1000, 1000):
            rows_here = b"".join(b"%d\t%s\n" % (first + n, random_octets.randbytes(495).hex().encode()) for n in range(1000))
            self.digest.update(rows_here)
            yield rows_here


def fill(host, stream, env=None, mode="require", timeout=400):
    """COPY FROM into a fresh table `bulk`."""
    sql = "drop table if exists bulk; create table bulk (n int, t text); copy bulk from stdin"
    process = host.popen(command(sql, mode), env=env, uid=USERS["alice"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    for piece in stream:
        process.stdin.write(piece)
    said, _ = process.communicate(timeout=timeout)
    host.processes.remove(process)
    if process.returncode != 0:
        raise RuntimeError(f"psql: {said.decode()}")


def digest_of_bulk(host, env=None, mode="require"):
    """SHA-256 of what COPY TO brings, and how many octets."""
    digest, octets = hashlib.sha256(), 0
    process = host.popen(command("copy bulk to stdout", mode), env=env, uid=USERS["alice"], stdout=subprocess.PIPE)
    while piece := process.stdout.read(1 << 16):
        digest.update(piece)
        octets += len(piece)
    process.wait(timeout=20)
    host.processes.remove(process)
    return digest.hexdigest(), octets


def python_client(host, mechanism, env=None):
    """A client of that protocol that names its mechanism, as libpq does not."""
    program = (Path(__file__).parent / "pg_gss.py").read_text()
    return host.run(["/usr/bin/python3", "-c", program, SERVER, str(PORT), mechanism, WHO], env=env, uid=USERS["alice"])
