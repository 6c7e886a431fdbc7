#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""run.py [--list] [--tag TAG] [--build DIR] [--jobs N] [--wrap valgrind] [SCENARIO...]: runs scenarios in lab kernels. Those of one topology
share a kernel; two kernels run side by side. Prints each assertion that failed, each scenario's verdict and seconds, and `N passed, N failed`."""
import argparse
import concurrent.futures
import sys
import threading
import time
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import kernel  # noqa: E402

HERE = Path(__file__).resolve().parent
PER_KERNEL = 14  # scenarios; more share a boot no longer, so that two kernels end together


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
    return {n: s for n, s in scenarios.items() if (not names or n in names) and (not tag or tag in s.get("tags", []))}


def groups(chosen):
    by_topology = {}
    for name, scenario in chosen.items():
        by_topology.setdefault(scenario["topology"], []).append(name)
    out = []
    for topology, names in by_topology.items():
        count = -(-len(names) // PER_KERNEL)
        out += [(topology, names[i::count]) for i in range(count)]
    return sorted(out, key=lambda g: -len(g[1]))


class Report:
    def __init__(self):
        self.lock = threading.Lock()
        self.verdicts = {}

    def follow(self, event):
        with self.lock:
            if event["event"] == "assertion" and not event["ok"]:
                print(f"  FAIL {event['scenario']}: {event['text']}: {event['detail']}", flush=True)
            if event["event"] == "verdict":
                self.verdicts[event["scenario"]] = event["ok"]
                print(f"{'PASS' if event['ok'] else 'FAIL'} {event['scenario']} ({event['seconds']:.1f} s, {event['assertions']} assertions)", flush=True)


def run_group(options, scenarios, report, number, group):
    topology, names = group
    limit = 40 + sum(scenarios[n].get("timeout", 60) for n in names)
    share = kernel.LAB / "share" / f"{options.label}-{number}-{topology}"
    job = {"topology": topology, "scenarios": names, "timeouts": {n: scenarios[n].get("timeout", 60) for n in names},
           "build": str(options.build.resolve()), "pki": str(kernel.LAB / "pki"), "wrap": options.wrap}
    finished, seconds = kernel.boot(options.kernel, share, job, limit, report.follow)
    if not finished:
        print(f"lab: the kernel for {topology} ended early or ran out of its {limit} s (after {seconds:.0f} s); see {share}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", nargs="*")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--tag", default="")
    parser.add_argument("--build", type=Path, default=kernel.TOP / "build")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--label", default="lab")
    parser.add_argument("--wrap", default="", help="run brokers and peers under this (valgrind)")
    parser.add_argument("--qemu", action="store_true")
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
    report, started = Report(), time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(lambda item: run_group(options, scenarios, report, *item), enumerate(groups(chosen))))
    missing = [n for n in chosen if n not in report.verdicts]
    for name in missing:
        print(f"FAIL {name}: no verdict")
    passed = sum(report.verdicts.values())
    print(f"lab: {len(chosen)} scenarios in {time.monotonic() - started:.0f} s")
    print(f"{passed} passed, {len(chosen) - passed} failed")
    return 0 if passed == len(chosen) and chosen else 1


if __name__ == "__main__":
    sys.exit(main())
