# SPDX-License-Identifier: MIT
"""Starts a lab kernel (user-mode-linux here, qemu in qemu.py) on a folder with a job and follows what the guest reports. Host side."""
import json
import mmap
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
LAB = TOP / "build" / "lab"
PROGRAMS = ("ipsec-gssd", "ipsec-gss", "tests/support/gss_peer", ".libs/mech_ipsec.so", ".libs/libgss-ipsec.so.0",
            ".libs/libgss-ipsec-preload.so", ".libs/libipsecapi.so.0", ".libs/libipsecshim-preload.so", "docs/examples/echo_c",
            "docs/examples/echo_cxx", "docs/examples/ends", "docs/examples/hello_c", "docs/examples/who_is_there", "docs/examples/files/files")


RUNNING = {}  # each kernel's process: its processor
STARTING = threading.Lock()


def quietest():
    """The processor with the fewest kernels."""
    return min(sorted(os.sched_getaffinity(0)), key=list(RUNNING.values()).count)


def memory_folder(need):
    """Where the kernel's memory file can live: the roomier of /dev/shm and TMPDIR."""
    folders = ["/dev/shm", os.environ.get("TMPDIR", "/tmp")]
    best = max(folders, key=lambda f: shutil.disk_usage(f).free if os.path.isdir(f) else 0)
    if shutil.disk_usage(best).free < need:
        raise SystemExit(f"lab: {need >> 20} MiB wanted for a kernel's memory, {best} has less; set TMPDIR to a larger folder")
    return best


def seconds_of_mapping(copies):
    """What it takes `copies` processes at the same time to map some thousand pages each."""
    started = time.monotonic()
    for _ in range(copies):
        if os.fork() == 0:
            pages = mmap.mmap(-1, 4096 * mmap.PAGESIZE)
            for offset in range(0, len(pages), mmap.PAGESIZE):
                pages[offset] = 1
            os._exit(0)
    for _ in range(copies):
        os.wait()
    return time.monotonic() - started


def at_once():
    """How many kernels: two on each of two processors where these map pages together as quickly as one does (docs/decisions/0023)."""
    once = min(seconds_of_mapping(1) for _ in range(5))
    return 4 if len(os.sched_getaffinity(0)) > 1 and min(seconds_of_mapping(2) for _ in range(5)) < 1.5 * once else 1


class UserModeLinux:
    slowness = 2  # by what time limits are multiplied: the machine may be slow, and compilers run beside it
    rehearsal = ""

    def preload(self, build):
        """What programs of others need before they can load the plugin of this build."""
        return ""

    def start(self, share, console, processor):
        command = ["linux.uml", "mem=1024M", "rootfstype=hostfs", "rootflags=/", "ro", f"init={TOP}/tests/lab/init.sh", "con0=null,fd:1", "con=null",
                   "quiet", "LAB_KERNEL=uml", f"LAB_TOP={TOP}", f"LAB_SHARE={share}"]
        # Its processes run in turn: on one processor, or each turn has to wake another.
        return subprocess.Popen(["taskset", "--cpu-list", str(processor), *command], stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                                start_new_session=True, env=dict(os.environ, TMPDIR=memory_folder(1 << 30)))


def stage(build, share, more):
    """Copies what is tested to where the guest finds it, wherever the build tree lies."""
    (share / "bin").mkdir()
    for suppressions in ("tsan.supp", "lsan.supp", "valgrind.supp"):
        shutil.copy(TOP / "tests/support" / suppressions, share)
    for program in [*PROGRAMS, *more]:
        if not (Path(build) / program).exists():
            raise SystemExit(f"lab: {build} holds no {program}; build it first (./dev build, or tests/support/build_tree VARIANT all lab-programs)")
        shutil.copy(Path(build) / program, share / "bin")


def boot(kernel, share, job, limit, follow):
    """Runs one kernel with `job`; `follow(event)` is called for each line the guest reports. Returns (finished, seconds)."""
    share = Path(share)
    shutil.rmtree(share, ignore_errors=True)
    share.mkdir(parents=True)
    stage(job["build"], share, job.get("programs", []))
    (share / "job.json").write_text(json.dumps(job))
    (share / "events").touch()
    started = time.monotonic()
    with open(share / "console.log", "wb") as console, open(share / "events") as events:
        with STARTING:
            processor = quietest()
            process = kernel.start(share, console, processor)
            RUNNING[process] = processor
        rest = ""
        try:
            while True:
                ended = process.poll() is not None or (share / "exit").exists()
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


def interrupted(signum, frame):
    for process in list(RUNNING):
        stop(process)
    os._exit(128 + signum)


def end_with_signals():
    """An interrupted run leaves no kernel behind."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, interrupted)


def stop(process):
    """Ends the kernel and every process of its session (user-mode-linux has one host process for each of the guest's)."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    RUNNING.pop(process, None)


def last_words(share):
    """The end of what kernel and driver printed: why there is no verdict."""
    words = []
    for name in ("console.log", "guest.log", "progress"):
        path = Path(share) / name
        if path.exists() and path.stat().st_size:
            words += [f"  {name}: {line}" for line in path.read_text(errors="replace").splitlines()[-12:]]
    return "\n".join(words)
