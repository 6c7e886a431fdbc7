# SPDX-License-Identifier: MIT
"""systemd itself as the first process of a pid namespace in a host of the lab, with no units but those given."""
import contextlib
import os
import re

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# What units depend on by default, without what a whole system would start there.
TARGETS = ("basic", "sysinit", "sockets", "shutdown", "multi-user", "final", "umount")
START = """
mount -t tmpfs tmpfs /run/systemd && mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null
exec env container=lab SYSTEMD_UNIT_PATH=$1 /lib/systemd/systemd --unit=basic.target --default-standard-output=inherit --default-standard-error=inherit \\
  --log-target=console --log-level=info --show-status=no
"""


def child_of(parent):
    """As text; None when there is none."""
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{entry}/stat") as file:
            if int(file.read().rpartition(")")[2].split()[1]) == parent:
                return entry
    return None


class Systemd:
    def __init__(self, host, units):
        """units: name -> text."""
        self.host, folder = host, f"{host.directory}/units"
        os.makedirs(folder)
        for name in TARGETS:
            with open(f"{folder}/{name}.target", "w") as file:
                file.write(f"[Unit]\nDescription={name}\nDefaultDependencies=no\n")
        for name, text in units.items():
            os.makedirs(os.path.dirname(f"{folder}/{name}"), exist_ok=True)
            with open(f"{folder}/{name}", "w") as file:
                file.write(text)
        os.makedirs("/run/systemd", exist_ok=True)
        self.process = host.popen(["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "/bin/sh", "-c", START, "start", folder], log="systemd.log")
        self.pid = None
        host.lab.need("systemd is up", host.lab.wait(self.up, 30), host.log("systemd.log")[-1500:])

    def up(self):
        self.pid = self.pid or child_of(self.process.pid)
        return self.pid and self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")

    def run(self, *argv):
        """A program beside systemd's services."""
        return self.host.run(["nsenter", "-t", self.pid, "--mount", "--pid", *argv])

    def systemctl(self, *words):
        return self.run("systemctl", *words)

    def shows(self, unit, *names):
        """Properties of a unit, as text."""
        out = self.systemctl("show", unit, *[f"--property={name}" for name in names]).stdout
        return dict(line.split("=", 1) for line in out.splitlines() if "=" in line)

    def status(self, unit):
        """/proc/PID/status of its main process."""
        pid = self.shows(unit, "MainPID")["MainPID"]
        return dict(line.split(":\t", 1) for line in self.run("cat", f"/proc/{pid}/status").stdout.splitlines() if ":\t" in line)

    def down(self):
        self.process.terminate()


def built_unit(build, name):
    """As it would be installed, with the program where the lab has it."""
    with open(next(path for path in (f"{build}/packaging/systemd/{name}", f"{TOP}/packaging/systemd/{name}") if os.path.exists(path))) as file:
        return re.sub(r"^ExecStart=\S+", "ExecStart=/run/bin/ipsec-gssd", file.read(), flags=re.M)
