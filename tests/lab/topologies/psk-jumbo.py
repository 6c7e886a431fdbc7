# SPDX-License-Identifier: MIT
"""As `psk`, with frames of 9000 octets."""
import ike
import net


def up(lab):
    net.cable(lab)
    net.jumbo(lab)
    for host in (lab.a, lab.b):
        ike.configure(host, ike.connection(host, "psk"), psk="thirty-two octets of shared secret")
        ike.start(host)
