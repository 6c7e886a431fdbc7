# SPDX-License-Identifier: MIT
import interposed


def run(lab):
    interposed.run(lab, ((True, True),), "over ESP", True, 2_000_000)
