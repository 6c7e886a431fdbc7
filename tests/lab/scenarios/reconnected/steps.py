# SPDX-License-Identifier: MIT
import gss


def run(lab):
    gss.brokers(lab)
    client, server = gss.peers(lab)
    gss.context(lab, client, server)
    fd = client.cmd("use", 3)
    second = lab.b.peer()
    second.cmd("listen", "10.1.0.2", 7001)
    client.cmd("close")
    again = client.cmd("connect", "10.1.0.2", 7001)
    lab.need("another connection under the same number", "fd" in again, again)
    second.cmd("accept")
    wrapped = client.cmd("wrap", 0, 1, gss.text("for the first peer only"))
    if wrapped["major"] == 0:
        second.cmd("unwrap", wrapped["token"])
    lab.expect("a new context on the number is a new one", gss.context(lab, client, second) if client.cmd("context", "new") and second.cmd("context", "new") else False)
