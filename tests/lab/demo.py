# SPDX-License-Identifier: MIT
"""Runs the scenario `demo` and prints what it says, for a reader."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import kernel  # noqa: E402

verdict = []


def follow(event):
    if event["event"] == "say":
        print(event["text"], flush=True)
    if event["event"] == "assertion" and not event["ok"]:
        print(f"!! {event['text']}: {event['detail']}", flush=True)
    if event["event"] == "verdict":
        verdict.append(event["ok"])


print("Booting a kernel with real ESP (user-mode-linux); nothing is started on this machine ...\n", flush=True)
job = {"topology": "certificates", "scenarios": ["demo"], "timeouts": {"demo": 90}, "build": str(kernel.TOP / "build"), "pki": str(kernel.LAB / "pki"), "wrap": ""}
kernel.boot(kernel.UserModeLinux(), kernel.LAB / "share" / "demo", job, 130, follow)
if verdict != [True]:
    print(f"\nthe demo failed; logs: {kernel.LAB}/share/demo")
    sys.exit(1)
print("\nThat is gss-ipsec. `ipsec-gss status --help`, README.md and docs/ tell more.")
