# SPDX-License-Identifier: MIT
"""A and B on two cables with M between them, which forwards; manual SAs from end to end with policies that require them, IPv4."""
import net


def up(lab):
    net.routed(lab)
    for host in (lab.a, lab.b):
        net.sas(host, addresses=net.ROUTED)
        net.policies(host, addresses=net.ROUTED)
