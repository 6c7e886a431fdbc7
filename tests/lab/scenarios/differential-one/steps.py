# SPDX-License-Identifier: MIT
import time


def run(lab):
    begun = time.monotonic()
    done = lab.a.run(["/run/bin/differential", "A", "B", "C", "--progress", "/run/share/progress", *lab.job["arguments"]], timeout=3500)
    lab.report("result", result={"seconds": time.monotonic() - begun, "output": done.stdout + done.stderr})
    lab.expect("verdict and kernel agree", done.returncode == 0, (done.stdout + done.stderr)[-1200:])
