# SPDX-License-Identifier: MIT
"""Two hosts, strongSwan with certificates, transport mode by trap policies, IPv6."""
import ike
import net


def up(lab):
    net.cable(lab)
    for host in (lab.a, lab.b):
        ike.configure(host, ike.connection(host, "pubkey", family=ike.V6))
        ike.start(host)
