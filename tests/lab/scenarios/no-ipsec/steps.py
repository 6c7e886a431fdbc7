# SPDX-License-Identifier: MIT
import gss
from peer import Exchange


def run(lab):
    gss.brokers(lab)
    client, server = gss.peers(lab)
    answer = client.cmd("cred", "initiate")
    lab.expect("no credential: as if not installed", "credential" in answer["error"].lower() and answer["major"] != 0, answer)
    answer = client.cmd("cred", "initiate", "socket=current")
    lab.expect("a named socket: the reason", gss.says(answer, "no IPsec policy covers this connection"), answer)
    lab.expect("no context", not Exchange(client, server).run())
