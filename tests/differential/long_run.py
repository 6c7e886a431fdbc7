#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""long_run.py [--build DIR] [--seeds 1-50] [--cases 2000] [--jobs 2] [--log FILE]: the differential test at length, a seed after the other,
each in a lab kernel of its own. A kernel that dies ends only its seed's batch: it is counted, and the rest goes on behind the case it died
of. The log is written anew after each batch."""
import argparse
import collections
import concurrent.futures
import datetime
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIGURES = re.compile(r'cases (\d+), comparisons (\d+), disagreements (\d+), of them in clear though "protected" (\d+)')
COUNT = re.compile(r"  (.+?) (\d+)(?: \([\d.]+ %\))?$")


def play(options, seed, first, cases):
    """What the program printed, or None and what the kernel said last."""
    with tempfile.NamedTemporaryFile("r", suffix=".json") as result:
        words = ["--seed", str(seed), "--first", str(first), "--cases", str(cases)]
        done = subprocess.run([sys.executable, HERE.parent / "lab/run.py", "--build", options.build, "--label", f"long-{seed}", "--result", result.name,
                               *[f"--argument={word}" for word in words], "differential-one"], capture_output=True, text=True, check=False)
        said = result.read()
    return (json.loads(said)["output"] if said else None), done.stdout


def died_at(said):
    found = re.search(r"progress: case (\d+)", said)
    return int(found[1]) if found else None


class Log:
    def __init__(self, path):
        self.path, self.lock = path, threading.Lock()
        self.kernel, self.totals = "", collections.Counter()
        self.sections = collections.defaultdict(collections.Counter)
        self.batches, self.remarks = [], []

    def add(self, seed, first, output):
        found = FIGURES.search(output)
        figures = [int(n) for n in found.groups()]
        with self.lock:
            self.kernel = output.splitlines()[0].split(", seed")[0]
            self.totals.update(dict(zip(("cases", "comparisons", "disagreements", "leaks"), figures)))
            self.batches.append((seed, first, *figures))
            self.remarks += [line for line in output.splitlines() if line.startswith(("DISAGREED", "COMPLAINT"))]
            title = ""
            for line in output[found.end():].splitlines():
                title = line if line.endswith(":") and not line.startswith(" ") else title
                if counted := COUNT.match(line):
                    self.sections[re.sub(r", of \d+ answers", "", title)][counted[1]] += int(counted[2])
        self.write()

    def death(self, seed, case, said):
        with self.lock:
            last = [line for line in said.splitlines() if "console.log" in line and "panic" in line.lower()]
            self.totals["kernels that died"] += 1
            self.remarks.append(f"the kernel died: seed {seed} case {case} {' '.join(last[:1])}")
        self.write()

    def write(self):
        with self.lock:
            lines = [f"{self.kernel}; {datetime.date.today()}; tests/differential/long_run.py", ""]
            lines += [f"{name} {self.totals[name]}" for name in ("cases", "comparisons", "disagreements", "leaks", "kernels that died")]
            lines += ["", "seed, first case, cases, comparisons, disagreements, of them leaks:"] + [" ".join(map(str, batch)) for batch in sorted(self.batches)]
            lines += ["", *sorted(self.remarks)] if self.remarks else []
            for title, counts in self.sections.items():
                lines += ["", title] + [f"  {name} {count}" for name, count in sorted(counts.items())]
        self.path.write_text("\n".join(lines) + "\n")


def batch(options, log, seed):
    first, end = 0, options.cases
    while first < end:
        output, said = play(options, seed, first, end - first)
        case = None if output else died_at(said)
        if output and FIGURES.search(output):
            return log.add(seed, first, output)
        if case is None:
            return log.death(seed, "unknown", output or said)
        log.death(seed, case, said)
        if case > first:  # what was played before it is played again, to be counted
            output, said = play(options, seed, first, case - first)
            log.add(seed, first, output) if output else log.death(seed, f"before {case}", said)
        first = case + 1
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/plain")
    parser.add_argument("--seeds", default="1-50")
    parser.add_argument("--cases", type=int, default=2000, help="of each seed")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--log", type=Path, default=HERE / "long-run.log")
    options = parser.parse_args()
    os.nice(19)
    first, last = map(int, options.seeds.split("-"))
    log = Log(options.log)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(lambda seed: batch(options, log, seed), range(first, last + 1)))
    return 1 if log.totals["disagreements"] else 0


if __name__ == "__main__":
    sys.exit(main())
