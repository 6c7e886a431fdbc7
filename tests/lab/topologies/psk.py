# SPDX-License-Identifier: MIT
"""Two hosts, strongSwan with a pre-shared key, transport mode by trap policies, IPv4."""
import ike
import net


def up(lab):
    net.cable(lab)
    for host in (lab.a, lab.b):
        ike.configure(host, ike.connection(host, "psk"), psk="thirty-two octets of shared secret")
        ike.start(host)
