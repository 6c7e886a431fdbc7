# SPDX-License-Identifier: MIT
"""Two hosts on one cable, no IPsec: the scenario makes what it wants."""
import net


def up(lab):
    net.cable(lab)
