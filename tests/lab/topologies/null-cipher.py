# SPDX-License-Identifier: MIT
"""As `certificates`, with ESP that authenticates and does not encrypt, and frames of 9000 octets: what remains is the cost of the layers above."""
import ike
import net


def up(lab):
    net.cable(lab)
    net.jumbo(lab)
    for host in (lab.a, lab.b):
        ike.configure(host, ike.connection(host, "pubkey", esp="null-sha256-curve25519"))
        ike.start(host)
