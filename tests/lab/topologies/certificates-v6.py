# SPDX-License-Identifier: MIT
"""Two hosts, strongSwan with certificates, transport mode by trap policies, IPv6."""
import ike
import net


def up(lab):
    net.cable(lab)
    for host in (lab.a, lab.b):
        # TCP only: neighbour discovery must work before IKE can.
        ike.configure(host, ike.connection(host, "pubkey", family=ike.V6, child="local_ts = dynamic[tcp]\nremote_ts = dynamic[tcp]"))
        ike.start(host)
