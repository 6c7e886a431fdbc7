#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""run.py [--list] [--tag TAG] [--build DIR] [--jobs N] [--wrap valgrind] [--qemu] [--verbose] [SCENARIO...]: runs scenarios in lab kernels, many in
one boot, each in a topology made afresh; four kernels run side by side where that pays. Prints each assertion that failed, each scenario's verdict and seconds,
and `N passed, N failed`. Logs of what failed stay in build/lab/logs/SCENARIO."""
import argparse
import concurrent.futures
import json
import os
import shutil
import sys
import threading
import time
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import kernel  # noqa: E402

HERE = Path(__file__).resolve().parent
PER_KERNEL = 25  # scenarios; what dies with its kernel stays little


def load():
    scenarios = {}
    for path in sorted((HERE / "scenarios").glob("*/scenario.toml")):
        with open(path, "rb") as file:
            scenarios[path.parent.name] = tomllib.load(file)
    return scenarios


def choose(scenarios, names, tag):
    unknown = [n for n in names if n not in scenarios]
    if unknown:
        raise SystemExit(f"lab: no scenario {', '.join(unknown)}; --list shows them")
    return {n: s for n, s in scenarios.items() if (n in names if names else not s.get("named")) and (not tag or tag in s.get("tags", []))}


def groups(chosen, jobs):
    """Shares of about equal work, judged by the limits of time; as many for each kernel that runs at the same time."""
    def limit(name):
        return chosen[name].get("timeout", 60)

    rounds = -(-len(chosen) // (PER_KERNEL * jobs))
    shares = [[] for _ in range(min(rounds * jobs, len(chosen)))]
    for name in sorted(chosen, key=lambda n: (-limit(n), n)):
        min(shares, key=lambda share: sum(map(limit, share))).append(name)
    return shares


class Report:
    """What the kernels tell, printed as it comes; logs of failed scenarios are brought to one place."""

    def __init__(self, options):
        self.lock = threading.Lock()
        self.options, self.verdicts, self.told = options, {}, {}

    def logs(self, name):
        return kernel.LAB / "logs" / (name if self.options.label == "lab" else f"{name}.{self.options.label}")

    def follow(self, event, share):
        name = event["scenario"]
        with self.lock:
            if event["event"] == "assertion":
                line = f"{'PASS' if event['ok'] else 'FAIL'} {name}: {event['text']}" + ("" if event["ok"] else f": {event['detail']}")
                self.told.setdefault(name, []).append(line)
                if not event["ok"] or self.options.verbose:
                    print("  " + line, flush=True)
            if event["event"] == "verdict":
                self.verdicts[name] = event["ok"]
                print(f"{'PASS' if event['ok'] else 'FAIL'} {name} ({event['seconds']:.1f} s, {event['assertions']} assertions)", flush=True)
                if not event["ok"]:
                    self.keep(name, share)
            if event["event"] == "ran":
                with open(self.options.ran, "a") as ran:
                    ran.write(json.dumps(event) + "\n")
            if event["event"] == "result":
                self.options.result.write_text(json.dumps(event["result"]))

    def keep(self, name, share):
        logs = self.logs(name)
        logs.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(logs, ignore_errors=True)
        if (share / "logs" / name).exists():
            shutil.move(share / "logs" / name, logs)
        logs.mkdir(exist_ok=True)
        (logs / "assertions").write_text("\n".join(self.told.get(name, [])) + "\n")
        print(f"  logs: {logs}", flush=True)


def run_group(options, scenarios, report, number, names):
    rehearsal = options.kernel.rehearsal
    every = [*names, rehearsal] if rehearsal else names
    limits = {n: scenarios[n].get("timeout", 60) * options.slow for n in every}
    share = kernel.LAB / "share" / f"{options.label}-{os.getpid()}-{number}"  # runs at the same time do not meet
    job = {"scenarios": names, "rehearsal": rehearsal, "topologies": {n: scenarios[n]["topology"] for n in every}, "timeouts": limits, "build": str(options.build.resolve()),
           "wrap": options.wrap, "slow": options.slow, "pki": str(kernel.LAB / "pki"), "preload": options.kernel.preload(options.build), "arguments": options.argument,
           "programs": sorted({p for n in names for p in scenarios[n].get("programs", [])})}
    limit = 40 * options.slow + sum(limits.values())
    for name in names:
        shutil.rmtree(report.logs(name), ignore_errors=True)
    finished, seconds = kernel.boot(options.kernel, share, job, limit, lambda event: report.follow(event, share))
    if not finished or not set(names) <= set(report.verdicts):
        print(f"lab: a kernel ended early or ran out of its {limit} s (after {seconds:.0f} s):\n{kernel.last_words(share)}", flush=True)
    shutil.rmtree(share, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", nargs="*")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--tag", default="")
    parser.add_argument("--build", type=Path, default=kernel.TOP / "build/plain")
    parser.add_argument("--jobs", type=int, default=0, help="kernels at the same time; not given: four where that is faster")
    parser.add_argument("--label", default="lab")
    parser.add_argument("--wrap", default="", help="run brokers and peers under this (valgrind)")
    parser.add_argument("--argument", action="append", default=[], help="for the program of a scenario that measures")
    parser.add_argument("--result", type=Path, default=Path(os.devnull), help="where the numbers go that it reports")
    parser.add_argument("--ran", type=Path, default=Path(os.devnull), help="where it is written which real programs ran how (compatibility.py reads it)")
    parser.add_argument("--qemu", action="store_true", help="in qemu, for sanitizers that user-mode-linux has no room for")
    parser.add_argument("--verbose", action="store_true", help="print assertions that hold, too")
    options = parser.parse_args()
    scenarios = load()
    chosen = choose(scenarios, options.scenario, options.tag)
    if options.list:
        for name, scenario in chosen.items():
            print(f"{name:32} {scenario['topology']:16} {scenario['title']}")
        return 0
    if options.qemu:
        import qemu
        options.kernel = qemu.Qemu()
    else:
        options.kernel = kernel.UserModeLinux()
    options.slow = options.kernel.slowness * (4 if options.wrap else 1)
    kernel.end_with_signals()
    if options.ran != Path(os.devnull):
        options.ran.write_text("")
    options.jobs = options.jobs or kernel.at_once()
    report, started = Report(options), time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(lambda item: run_group(options, scenarios, report, *item), enumerate(groups(chosen, options.jobs))))
    missing = [n for n in chosen if n not in report.verdicts]
    for name in missing:
        print(f"FAIL {name}: no verdict")
    passed = sum(report.verdicts.values())
    print(f"lab: {len(chosen)} scenarios in {time.monotonic() - started:.0f} s")
    print(f"{passed} passed, {len(chosen) - passed} failed")
    return 0 if passed == len(chosen) and chosen else 1


if __name__ == "__main__":
    sys.exit(main())
