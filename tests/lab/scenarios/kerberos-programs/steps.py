# SPDX-License-Identifier: MIT
import interposed


def run(lab):
    mixtures = {**dict.fromkeys(interposed.WHERE, interposed.QUICK), (True, True): interposed.PROGRAMS}
    interposed.run(lab, mixtures, "over ESP", True, 2_000_000)
