# SPDX-License-Identifier: MIT
import interposed


def run(lab):
    interposed.run(lab, tuple(interposed.WHERE), "without IPsec", False, 20_000_000)
