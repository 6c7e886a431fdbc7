# SPDX-License-Identifier: MIT
import concurrent.futures
import socket

import interposed
import kerberos
from compatibility import ran
from servers import slapd
from servers.daemon import running

PRELOAD = {"LD_PRELOAD": "/run/bin/libgss-ipsec-preload.so"}
CLIENTS = 4


def several_at_once(lab):
    """One process, whose clients are all connected at the same time: which connection is whose context's only the preload can say."""
    ends = kerberos.Ends(lab, True, True)
    more = ("-Y", "GSSAPI", "-O", "minssf=56", "-LLL", "-b", "dc=example,dc=org", "(cn=alice)", "sn")
    with running(lab.b, slapd.start(lab.b, {**ends.server, **PRELOAD})):
        idle = [lab.a.inside(lambda: socket.create_connection(("10.1.0.2", slapd.PORT))) for _ in range(2)]
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            done = list(pool.map(lambda _: slapd.tool(lab.a, "ldapsearch", *more, env=ends.client), range(CLIENTS)))
        switched = lab.wait(lambda: ends.log(ends.server).count("the peer switched") == CLIENTS, 5)
        for connection in idle:
            connection.close()
    good = all(each.returncode == 0 and "sn: Liddell" in each.stdout for each in done)
    counts = [ends.log(ends.server).count(said) for said in ("bound to the channel", "SWITCH sent", "the peer switched")]
    ran(lab, slapd.PROGRAM, slapd.PACKAGES, "krb5", f"slapd under the preload, the interposer at both ends, over ESP; {CLIENTS} clients at once, two idle ones",
        f"works; {interposed.SWITCHES}, of each", good and switched and counts == [CLIENTS] * 3, f"{counts} {done[0].stderr} {ends}")


def run(lab):
    mixtures = {**dict.fromkeys(interposed.WHERE, interposed.QUICK), (True, True): interposed.PROGRAMS}
    interposed.run(lab, mixtures, "over ESP", True, 2_000_000)
    several_at_once(lab)
