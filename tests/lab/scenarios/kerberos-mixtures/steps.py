# SPDX-License-Identifier: MIT
import interposed


def run(lab):
    interposed.run(lab, ((True, False), (False, True), (False, False)), "over ESP", True, 20_000_000)
