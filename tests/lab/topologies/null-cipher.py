# SPDX-License-Identifier: MIT
"""Two hosts, strongSwan with a pre-shared key, ESP that authenticates and does not encrypt, and frames of 9000 octets: what remains is the cost of the
layers above. Latches on it are pinned, so that Kerberos may rest on them."""
import ike
import net


def up(lab):
    net.cable(lab)
    net.jumbo(lab)
    for host in (lab.a, lab.b):
        ike.configure(host, ike.connection(host, "psk", esp="null-sha256-curve25519"), psk="thirty-two octets of shared secret")
        ike.start(host)
