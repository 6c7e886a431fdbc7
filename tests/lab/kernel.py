# SPDX-License-Identifier: MIT
"""Starts a lab kernel (user-mode-linux) on a folder with a job and follows what the guest reports. Host side."""
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
LAB = TOP / "build" / "lab"


def memory_folder(need):
    """Where the kernel's memory file can live: the roomier of /dev/shm and TMPDIR."""
    folders = ["/dev/shm", os.environ.get("TMPDIR", "/tmp")]
    best = max(folders, key=lambda f: shutil.disk_usage(f).free if os.path.isdir(f) else 0)
    if shutil.disk_usage(best).free < need:
        raise SystemExit(f"lab: {need >> 20} MiB wanted for a kernel's memory, {best} has less; set TMPDIR to a larger folder")
    return best


class UserModeLinux:
    name = "uml"

    def command(self, share):
        return ["linux.uml", "mem=1024M", "rootfstype=hostfs", "rootflags=/", "ro", f"init={TOP}/tests/lab/init.sh", "con0=null,fd:1", "con=null",
                "quiet", "LAB_KERNEL=uml", f"LAB_TOP={TOP}", f"LAB_SHARE={share}", f"LAB_ROOT={LAB}/root"]

    def environment(self):
        return dict(os.environ, TMPDIR=memory_folder(1 << 30))


def boot(kernel, share, job, limit, follow):
    """Runs one kernel with `job`; `follow(event)` is called for each line the guest reports. Returns (finished, seconds)."""
    share = Path(share)
    shutil.rmtree(share, ignore_errors=True)
    share.mkdir(parents=True)
    (share / "job.json").write_text(json.dumps(job))
    (share / "events").touch()
    started = time.monotonic()
    with open(share / "console.log", "wb") as console, open(share / "events") as events:
        process = subprocess.Popen(kernel.command(share), stdin=subprocess.DEVNULL, stdout=console, stderr=console, env=kernel.environment(),
                                   start_new_session=True)
        rest = ""
        try:
            while True:
                ended = process.poll() is not None
                rest += events.read()
                *lines, rest = rest.split("\n")
                for line in lines:
                    follow(json.loads(line))
                if ended or time.monotonic() - started > limit:
                    break
                time.sleep(0.05)
        finally:
            stop(process)
    return (share / "exit").exists(), time.monotonic() - started


def stop(process):
    """Ends the kernel and every process of its session (user-mode-linux has one host process for each of the guest's)."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
