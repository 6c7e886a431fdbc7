# SPDX-License-Identifier: MIT
"""Runs the scenario `demo` and prints what it says, for a reader."""
import os
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import kernel  # noqa: E402

SHARE = kernel.LAB / "share" / f"demo-{os.getpid()}"
LOGS = kernel.LAB / "logs" / "demo"
JOB = {"scenarios": ["demo"], "topologies": {"demo": "certificates"}, "timeouts": {"demo": 90}, "build": str(kernel.TOP / "build/plain"),
       "pki": str(kernel.LAB / "pki"), "wrap": "", "slow": 1, "rehearsal": "", "preload": ""}
verdict = []


def follow(event):
    if event["event"] == "say":
        print(event["text"], flush=True)
    if event["event"] == "assertion" and not event["ok"]:
        print(f"!! {event['text']}: {event['detail']}", flush=True)
    if event["event"] == "verdict":
        verdict.append(event["ok"])


print("Booting a kernel with real ESP (user-mode-linux); nothing is started on this machine ...\n", flush=True)
kernel.end_with_signals()
kernel.boot(kernel.UserModeLinux(), SHARE, JOB, 130, follow)
if verdict != [True]:
    print(kernel.last_words(SHARE))
    shutil.rmtree(LOGS, ignore_errors=True)
    LOGS.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(SHARE, LOGS)
    print(f"\nthe demo failed; logs: {LOGS}")
    sys.exit(1)
shutil.rmtree(SHARE)
print("\nThat is gss-ipsec. `ipsec-gss status --help`, README.md and docs/ tell more.")
