# SPDX-License-Identifier: MIT
import random

FIXED, CASES, FRESH_CASES = 20261125, 2000, 500


def run(lab):
    for what, seed, cases in (("fixed", FIXED, CASES), ("fresh", random.SystemRandom().randrange(1, 2**32), FRESH_CASES)):
        lab.host("C").ip("xfrm state flush", "xfrm policy flush")  # what an earlier run has put there for its marker
        done = lab.a.run(["/run/bin/differential", "A", "B", "C", "--seed", str(seed), "--cases", str(cases), "--progress", "/run/share/progress"], timeout=150)
        lab.expect(f"{cases} cases of the {what} seed {seed}: verdict and kernel agree", done.returncode == 0, done.stdout[-1200:] + done.stderr)
        lab.expect(f"none of them protected and in clear ({what} seed)", f"cases {cases}," in done.stdout and ' "protected" 0\n' in done.stdout)
