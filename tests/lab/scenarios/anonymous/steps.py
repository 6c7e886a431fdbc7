# SPDX-License-Identifier: MIT
import gss
from peer import Exchange

ANON = 62 | 64


def run(lab):
    gss.brokers(lab)
    client, server = gss.peers(lab)
    gss.refused(lab, "nobody allowed it", Exchange(client, server), "did not authenticate one single peer")
    for end in (client, server):
        end.cmd("delete")
    gss.refused(lab, "only the initiator asks for it", Exchange(client, server, flags=ANON), "")
    lab.expect("no context either way", not Exchange(client, server, flags=62).established)
