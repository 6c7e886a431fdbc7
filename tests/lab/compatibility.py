#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""compatibility.py write|check RAN: docs/compatibility.md's table from what scenarios ran (run.py --ran RAN). `write` puts in the lines of the
scenarios that ran; `check` compares them, all but the versions, which come and go with Debian's updates, and wants a line for every program's
scenario. In the guest: ran() is an assertion that is such a line, too."""
import json
import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
PAGE = TOP / "docs" / "compatibility.md"
SCENARIOS = TOP / "tests" / "lab" / "scenarios"
COLUMNS = ("program", "mechanism", "how", "result", "scenario", "versions")
HEAD = "| programs | mechanism | how | result | scenario | versions |\n|---|---|---|---|---|---|\n"
PLATFORM = ("libgssapi-krb5-2",)  # under every one of them


def versions(packages):
    """As unpack.sh noted them; what the lab has from the machine, as the machine says."""
    unpacked = dict(line.split() for line in (TOP / "build/lab/root/.packages").read_text().splitlines())
    return ", ".join(f"{p} {unpacked.get(p) or installed(p)}" for p in packages)


def installed(package):
    return subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True, check=True).stdout


def ran(lab, program, packages, mechanism, how, result, holds, detail=""):
    """This is what happened, or the scenario fails."""
    line = {"program": program, "mechanism": mechanism, "how": how, "result": result, "versions": versions((*packages, *PLATFORM))}
    if lab.expect(f"{program}, {mechanism}, {how}: {result}", holds, detail):
        lab.report("ran", **line)


def row(line):
    return "| " + " | ".join(line[column] for column in COLUMNS) + " |\n"


def rows(page):
    found = [re.split(r" \| ", line[2:-2]) for line in page.splitlines() if line.startswith("| ") and line + "\n" not in HEAD]
    return [dict(zip(COLUMNS, cells)) for cells in found]


def unversioned(lines, scenario):
    return sorted(tuple(line[column] for column in COLUMNS[:-1]) for line in lines if line["scenario"] == scenario)


def check(page, lines):
    """What is wrong with the page."""
    wrong = [f"{scenario}: the page and the run differ: {unversioned(page, scenario)} {unversioned(lines, scenario)}"
             for scenario in sorted({line["scenario"] for line in lines}) if unversioned(page, scenario) != unversioned(lines, scenario)]
    reports = ("from compatibility import ran", "import mixtures", "import interposed", "import bulk")
    sources = {path.parent.name for path in SCENARIOS.glob("*/steps.py") if any(line in path.read_text() for line in reports)}
    listed = {line["scenario"] for line in page}
    return wrong + [f"{name}: runs a program, and the page has nothing of it" for name in sorted(sources - listed)] + \
        [f"{name}: on the page, but no such scenario" for name in sorted(listed - sources)]


def main():
    verb, path = sys.argv[1:]
    lines = [json.loads(line) for line in Path(path).read_text().splitlines()]
    text = PAGE.read_text()
    page = rows(text)
    if verb == "write":
        again = {line["scenario"] for line in lines}
        kept = [*lines, *(line for line in page if line["scenario"] not in again)]
        kept.sort(key=lambda line: (line["scenario"], line["mechanism"] != "krb5"))
        PAGE.write_text(text[:text.index(HEAD)] + HEAD + "".join(map(row, kept)))
        return 0
    wrong = check(page, lines)
    print("\n".join(f"FAIL {each}" for each in wrong) or f"PASS {len(lines)} lines of docs/compatibility.md are what was run")
    print(f"{0 if wrong else 1} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
