# SPDX-License-Identifier: MIT
import interposed


def run(lab):
    interposed.run(lab, dict.fromkeys(interposed.WHERE, interposed.PROGRAMS), "without IPsec", False, 20_000_000)
