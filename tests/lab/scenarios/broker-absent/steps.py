# SPDX-License-Identifier: MIT
import time

import gss
import net
from peer import Exchange


def run(lab):
    client, server = gss.peers(lab)
    begin = time.monotonic()
    answer = client.cmd("cred", "initiate", "socket=current")
    lab.expect("told that there is no broker", gss.says(answer, "ipsec-gssd cannot be reached"), answer)
    lab.expect("without waiting", time.monotonic() - begin < 1.5)
    answer = server.cmd("cred", "accept")
    lab.expect("an acceptor gets no credential either", answer["major"] != 0 and gss.says(answer, "ipsec-gssd cannot be reached"), answer)
    gss.brokers(lab)
    client, server = gss.peers(lab, port=7001)
    lab.expect("with brokers it works", Exchange(client, server).run())
