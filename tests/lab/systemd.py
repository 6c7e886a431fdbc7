# SPDX-License-Identifier: MIT
"""A systemd that runs as the first process of a PID namespace, in a host's network namespace, and knows only the units it is given."""
import os
import shutil
import subprocess

UNITS = "/run/lab/units"
INIT = f"""mount -t cgroup2 cgroup2 /sys/fs/cgroup && mount -t tmpfs -o mode=0755 tmpfs /run/systemd &&
exec env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_UNIT_PATH={UNITS} /usr/lib/systemd/systemd --unit=basic.target"""
# Of Debian's own units those that every service and socket asks for.
BASE = ("basic.target", "sysinit.target", "sockets.target", "shutdown.target", "umount.target")


class Systemd:
    def __init__(self, host, units):
        os.makedirs("/run/systemd", exist_ok=True)
        os.makedirs(UNITS)
        for unit in [f"/lib/systemd/system/{name}" for name in BASE] + list(units):
            shutil.copy(unit, UNITS)
        self.host = host
        self.process = host.popen(["unshare", "--pid", "--fork", "--kill-child", "--mount", "--cgroup", "--mount-proc", "/bin/sh", "-c", INIT], log="systemd.log")
        self.pid = host.lab.wait(self.init, 5)
        host.lab.need("systemd runs", host.lab.wait(lambda: "active" in self.systemctl("is-active", "basic.target").split(), 10), host.log("systemd.log"))

    def init(self):
        """The number that this kernel gives to systemd."""
        children = open(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read().split()
        return children[0] if children else None

    def run(self, *argv):
        return subprocess.run(["nsenter", "--target", self.pid, "--mount", "--pid", "--cgroup", *argv], capture_output=True, text=True, timeout=30)

    def systemctl(self, *words):
        done = self.run("systemctl", *words)
        return done.stdout + done.stderr

    def show(self, unit, name):
        return self.systemctl("show", "--value", "-p", name, unit).strip()

    def is_active(self, unit):
        return self.host.lab.wait(lambda: self.show(unit, "ActiveState") == "active", 5)

    def main_process(self, unit):
        """Its number in the reader's namespace; a broker is one process."""
        template, at, _ = unit.partition("@")
        slices = "system.slice/" + (f"system-{template}.slice/".replace("ipsec-", "ipsec\\x2d") if at else "")
        try:
            with open(f"/proc/{self.pid}/root/sys/fs/cgroup/{slices}{unit}/cgroup.procs") as processes:
                return processes.readline().strip() or None
        except OSError:
            return None


def facts(process):
    """Of /proc/PID/status."""
    try:
        with open(f"/proc/{process}/status") as status:
            return {key: value.strip() for key, _, value in (line.partition(":") for line in status)}
    except OSError:
        return {}
