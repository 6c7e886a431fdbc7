# SPDX-License-Identifier: MIT
import concurrent.futures
import socket

import gss
from compatibility import ran
from servers import apache, slapd

PRELOAD = {"LD_PRELOAD": "/run/bin/libgss-ipsec-preload.so"}
TRANSFERS = 6


def ldap(lab):
    slapd.start(lab.b, PRELOAD)
    idle = [lab.a.inside(lambda: socket.create_connection(("10.1.0.2", slapd.PORT))) for _ in range(3)]
    users = ["alice", "bob"] * 3
    with concurrent.futures.ThreadPoolExecutor(len(users)) as pool:
        done = list(pool.map(lambda user: slapd.tool(lab.a, "ldapwhoami", "-Q", "-Y", slapd.IPSEC, "-U", user, user=user), users))
    for connection in idle:
        connection.close()
    told = [each.stdout.strip() for each in done]
    ran(lab, slapd.PROGRAM, slapd.PACKAGES, "ipsec", "slapd under the preload; six clients of two users at once, three idle ones", "each is who it is",
        told == [f"dn:cn={user},dc=example,dc=org" for user in users], f"{told} {done[0].stderr} {lab.b.log('slapd.log')[-1000:]}")


def http(lab):
    apache.start(lab.b, PRELOAD)
    urls = [word for number in range(TRANSFERS) for word in ("-o", "/dev/null", f"{apache.URL}?{number}")]
    words = ["/usr/bin/curl", "-sS", "-Z", "--parallel-immediate", "--negotiate", "-u", ":", "-w", "%{http_code} %header{x-remote-user}\\n", *urls]
    done = lab.a.run(words, env=PRELOAD, uid=2001)
    right = ["200 ipsec:fqdn:client.example.org/alice"] * TRANSFERS
    ran(lab, "curl -Z --negotiate, Apache with mod_auth_gssapi", apache.PACKAGES, "ipsec", "both under the preload; six transfers at once", "all come",
        done.stdout.split("\n")[:-1] == right, done.stdout + done.stderr + lab.b.log("apache/error.log")[-1000:])


def run(lab):
    gss.brokers(lab, b=slapd.SERVICE + apache.SERVICE)
    ldap(lab)
    http(lab)
