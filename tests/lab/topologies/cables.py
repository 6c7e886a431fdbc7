# SPDX-License-Identifier: MIT
"""A and B on two cables with M between them, which forwards; nothing else."""
import net


def up(lab):
    net.routed(lab)
