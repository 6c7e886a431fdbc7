# SPDX-License-Identifier: MIT
import interposed


def run(lab):
    interposed.run(lab, dict.fromkeys(((True, False), (False, True), (False, False)), interposed.PROGRAMS), "over ESP", True, 20_000_000)
