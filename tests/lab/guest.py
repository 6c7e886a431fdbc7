# SPDX-License-Identifier: MIT
"""Runs inside a lab kernel: for each scenario of the job builds its topology afresh, runs its steps under a time limit, reports every
assertion as a line of JSON, takes everything down again and keeps the logs of what failed."""
import importlib.util
import json
import os
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from host import Host  # noqa: E402
from net import name_hosts  # noqa: E402
from servers.daemon import USERS  # noqa: E402

SHARE = Path("/run/share")
HERE = Path(__file__).resolve().parent
REPORTS = Path("/run/lab/reports")  # where sanitizers and valgrind write: an empty folder is part of every verdict


class Failed(Exception):
    """An assertion that makes the rest of a scenario pointless."""


class TimeOut(Exception):
    pass


def load(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Lab:
    """What a scenario sees: its hosts (lab.a, lab.b or lab.host("M")), and expect()."""

    def __init__(self, job, scenario, rehearsal=False):
        self.job, self.scenario, self.rehearsal = job, scenario, rehearsal
        self.directory = HERE / "scenarios" / scenario
        self.hosts = {}
        self.assertions, self.ok = 0, True

    def host(self, name):
        if name not in self.hosts:
            self.hosts[name] = Host(self, name)
        return self.hosts[name]

    @property
    def a(self):
        return self.host("A")

    @property
    def b(self):
        return self.host("B")

    def report(self, event, **facts):
        if self.rehearsal:
            return
        with open(SHARE / "events", "a") as events:
            events.write(json.dumps({"event": event, "scenario": self.scenario, **facts}) + "\n")

    def expect(self, text, condition, detail=""):
        """One assertion; a failed one fails the scenario, which goes on."""
        self.assertions += 1
        self.ok = self.ok and bool(condition)
        self.report("assertion", text=text, ok=bool(condition), detail=str(detail)[:1500])
        return bool(condition)

    def say(self, text):
        """Words for the reader of the demo."""
        self.report("say", text=text)

    def need(self, text, condition, detail=""):
        """An assertion without which the rest makes no sense."""
        if not self.expect(text, condition, detail):
            raise Failed(text)

    def wait(self, condition, seconds=5.0, step=0.02):
        """The first true value of condition() within the time, or its last."""
        end = time.monotonic() + seconds * self.job["slow"]
        value = condition()
        while not value and time.monotonic() < end:
            time.sleep(step)
            value = condition()
        return value

    def down(self):
        for host in self.hosts.values():
            host.down()


def judge_reports(lab):
    for report in sorted(REPORTS.iterdir()):
        said = report.read_text(errors="replace").strip()
        if said:
            lab.expect(f"nothing to report by {report.name}", False, said)


def keep_logs(name):
    def others(directory, files):
        return [f for f in files if f == "data" or not os.path.isfile(f"{directory}/{f}") and not os.path.isdir(f"{directory}/{f}")]
    shutil.copytree("/run/lab", SHARE / "logs" / name, ignore=others, dirs_exist_ok=True)


def run(job, name, rehearsal=False):
    """A rehearsal tells nothing: after it the emulator has the code that would come too late for the first deadlines."""
    lab, started = Lab(job, name, rehearsal), time.monotonic()
    shutil.rmtree("/run/lab", ignore_errors=True)
    os.makedirs("/run/lab")
    REPORTS.mkdir()
    REPORTS.chmod(0o1777)
    name_hosts({})
    signal.alarm(job["timeouts"][name])
    try:
        load(HERE / "topologies" / f"{job['topologies'][name]}.py", "topology").up(lab)
        load(lab.directory / "steps.py", "steps").run(lab)
    except Failed:
        pass
    except BaseException as fault:  # noqa: B902: whatever happens is a verdict of this scenario
        lab.expect("no exception" if not isinstance(fault, TimeOut) else "within the time limit", False, traceback.format_exc())
    signal.alarm(0)
    if lab.assertions == 0:
        lab.expect("at least one assertion", False)
    try:
        lab.down()
        judge_reports(lab)
    except Exception:
        lab.expect("taken down", False, traceback.format_exc())
    if not lab.ok and not rehearsal:
        keep_logs(name)
    lab.report("verdict", ok=lab.ok, seconds=time.monotonic() - started, assertions=lab.assertions)


def prepare():
    """Programs where every user can run them; accounts."""
    shutil.copytree(SHARE / "bin", "/run/bin")
    with open("/etc/passwd", "a") as passwd, open("/etc/group", "a") as group:
        for user, uid in USERS.items():
            passwd.write(f"{user}:x:{uid}:{uid}::/tmp:/bin/sh\n")
            group.write(f"{user}:x:{uid}:\n")


def main():
    job = json.loads(Path(sys.argv[1]).read_text())

    def expired(signum, frame):
        raise TimeOut("the scenario's time limit")

    signal.signal(signal.SIGALRM, expired)
    prepare()
    if job["rehearsal"]:
        run(job, job["rehearsal"], rehearsal=True)
    for name in job["scenarios"]:
        run(job, name)


main()
