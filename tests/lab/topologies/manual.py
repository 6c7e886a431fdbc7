# SPDX-License-Identifier: MIT
"""Two hosts, manual SAs with AES-GCM-256 and policies that require them, IPv4."""
import net


def up(lab):
    net.cable(lab)
    for host in (lab.a, lab.b):
        net.sas(host)
        net.policies(host)
