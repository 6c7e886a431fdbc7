# SPDX-License-Identifier: MIT
"""A host of the lab: a network namespace with its addresses, its processes and its broker."""
import ctypes
import os
import signal
import socket
import subprocess
import time

import krb5
from capture import Capture, open_in
from peer import Peer

LIBC = ctypes.CDLL(None, use_errno=True)
MECHANISM = "1.2.840.113556.1.8000.2554.29037.34951.56904.17186.41534.6054741.10980991.1"
CLONE_NEWNET = 0x40000000
DESTROYS_SOCKETS = os.environ.get("LAB_KERNEL") != "uml"  # CONFIG_INET_DIAG_DESTROY: a broken latch closes its socket
FOREIGN = {"gss-client", "gss-server", "python3"}
REPORTS = "/run/lab/reports"  # guest.py looks there after each scenario
SANITIZERS = {"UBSAN_OPTIONS": f"print_stacktrace=1:halt_on_error=1:log_path={REPORTS}/ubsan",
              "ASAN_OPTIONS": f"detect_leaks=1:log_path={REPORTS}/asan",
              "LSAN_OPTIONS": "suppressions=/run/share/lsan.supp:print_suppressions=0",
              "TSAN_OPTIONS": f"halt_on_error=1:second_deadlock_stack=1:log_path={REPORTS}/tsan:suppressions=/run/share/tsan.supp"}
VALGRIND = ["valgrind", "-q", "--leak-check=full", "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite", "--error-exitcode=99",
            "--suppressions=/run/share/valgrind.supp", f"--log-file={REPORTS}/valgrind.%p"]


def enter(namespace):
    fd = os.open(f"/run/netns/{namespace}", os.O_RDONLY | os.O_CLOEXEC)
    result = LIBC.setns(fd, CLONE_NEWNET)
    os.close(fd)
    if result != 0:
        raise OSError(ctypes.get_errno(), f"setns {namespace}")


def ip(*lines, options=()):
    """Runs lines of iproute2 commands in one process; raises with its message."""
    done = subprocess.run(["ip", *options, "-batch", "-"], input="".join(line + "\n" for line in lines), capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"ip {' '.join(options)}: {lines}: {done.stderr.strip()}")


def close_quietly(pipe):
    try:
        pipe.close()
    except OSError:
        pass


def wait_for(processes, seconds):
    end = time.monotonic() + seconds
    for process in processes:
        try:
            process.wait(max(0.01, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            pass


class Host:
    def __init__(self, lab, name):
        self.lab, self.name = lab, name
        self.directory = f"/run/lab/{name}"
        self.processes, self.captures, self.daemon, self.charon = [], [], None, None
        os.makedirs(self.directory, mode=0o755)
        ip(f"netns add {name}")
        self.ip("link set lo up")
        self.socket = f"{self.directory}/gssd.sock"
        with open(f"{self.directory}/mech.conf", "w") as mech:
            mech.write(f"ipsec {MECHANISM} /run/bin/mech_ipsec.so\n")

    # --- processes
    def environment(self, extra=None):
        env = {"PATH": "/run/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", "GSS_IPSEC_BROKER": self.socket,
               "GSS_MECH_CONFIG": f"{self.directory}/mech.conf", "KRB5CCNAME": f"FILE:{self.directory}/tickets",
               "KRB5_CONFIG": f"{self.directory}/krb5.conf", "KRB5_KTNAME": f"FILE:{self.directory}/keytab", **SANITIZERS}
        return {**env, **(extra or {})}

    def wrapped(self, argv):
        """A program of ours, under valgrind where the job says so."""
        return [*(VALGRIND if self.lab.job.get("wrap") == "valgrind" else []), *argv]

    def preloaded(self, argv, env):
        """A program of others that loads an instrumented plugin needs the sanitizer's library first."""
        library = self.lab.job.get("preload", "")
        if not library or os.path.basename(argv[0]) not in FOREIGN:
            return env
        # Such programs leak of their own accord; what we leak shows in our own programs.
        return {"ASAN_OPTIONS": SANITIZERS["ASAN_OPTIONS"].replace("detect_leaks=1", "detect_leaks=0"), **(env or {}), "LD_PRELOAD": library}

    def popen(self, argv, env=None, uid=None, log=None, **options):
        if uid is not None:
            options |= {"user": uid, "group": uid, "extra_groups": []}
        if log:
            options["stdout"] = options["stderr"] = open(f"{self.directory}/{log}", "ab")
        options.setdefault("stdin", subprocess.DEVNULL)
        env = self.preloaded(argv, env)
        # Not by a function that the child calls: it would have to be forked, with all that the driver has in memory.
        process = self.inside(lambda: subprocess.Popen(argv, env=self.environment(env), **options))
        self.processes.append(process)
        return process

    def run(self, argv, env=None, uid=None, timeout=30, **options):
        """Runs a program to its end; stdout and stderr as text."""
        process = self.popen(argv, env=env, uid=uid, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            err += "\n(killed: time limit)"
        self.processes.remove(process)
        return subprocess.CompletedProcess(argv, process.returncode, out, err)

    def write(self, path, text):
        """Writes a file as this host sees it (/proc/sys/net is the namespace's)."""
        done = self.run(["/bin/sh", "-c", 'printf %s "$2" > "$1"', "write", path, text])
        if done.returncode != 0:
            raise RuntimeError(f"{self.name}: {path}: {done.stderr}")

    def inside(self, function):
        """The value of function() called in this host's network namespace (in a thread of its own)."""
        return open_in(self.name, function)

    def ip(self, *lines):
        ip(*lines, options=("-n", self.name))

    # --- the broker
    def broker(self, config="", ready=True, env=None, program="/run/bin/ipsec-gssd"):
        """Starts ipsec-gssd with `config` (TOML) and waits until it serves: who connects before that began before the broker could know."""
        path = f"{self.directory}/gssd.conf"
        served = self.times_served()
        with open(path, "w") as file:
            file.write(config)
        self.daemon = self.popen(self.wrapped([program, "--config", path, "--socket", self.socket, "--foreground"]), env=env, log="gssd.log")
        if ready and not self.lab.wait(lambda: self.times_served() > served, 20):
            raise RuntimeError(f"broker of {self.name} does not serve: {self.log('gssd.log')[-1500:]}")
        return self.daemon

    def times_served(self):
        return self.log("gssd.log").count("ipsec-gssd: serving") if os.path.exists(f"{self.directory}/gssd.log") else 0

    def answers(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
            try:
                probe.connect(self.socket)
                return True
            except OSError:
                return False

    def stop_broker(self, kill=False):
        self.daemon.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        status = self.daemon.wait(timeout=10)
        self.processes.remove(self.daemon)
        self.daemon = None
        return status

    def metric(self, name):
        """A figure of the broker, as `ipsec-gss metrics` prints it; None when it prints none."""
        lines = [line.split() for line in self.run(["/run/bin/ipsec-gss", "metrics"]).stdout.splitlines()]
        return next((float(line[1]) for line in lines if line[0] == f"ipsec_gssd_{name}"), None)

    # --- Kerberos
    def kdc(self, users=("alice",), services=()):
        """A KDC of EXAMPLE.ORG on this host's address; krb5.conf and keytabs for every host there is. services: pairs of host and principal."""
        return krb5.start(self, users, services)

    # --- what scenarios use
    def peer(self, uid=None, env=None):
        """A gss_peer process: one GSS end."""
        return Peer(self, uid, env)

    def capture(self, device="eth0"):
        capture = Capture(self.name, device)
        self.captures.append(capture)
        return capture

    def log(self, name):
        with open(f"{self.directory}/{name}", errors="replace") as file:
            return file.read()

    def down(self):
        self.end_processes()
        for capture in self.captures:
            capture.close()
        ip(f"netns del {self.name}")
        if self.daemon and self.daemon.returncode != 0:
            self.lab.expect(f"the broker of {self.name} ends well when told to", False, f"status {self.daemon.returncode}: {self.log('gssd.log')[-600:]}")

    def end_processes(self):
        """Peers end when nothing more is asked, so that what they leaked is looked for; others when told to; at last all."""
        asked = [p for p in self.processes if p.stdin]
        for process in asked:
            close_quietly(process.stdin)
        wait_for(asked, 1.0 * self.lab.job["slow"])
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        wait_for(self.processes, 3.0 * self.lab.job["slow"])
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
