# SPDX-License-Identifier: MIT
import gss
import krb5
from compatibility import ran
from servers import postgres

OCTETS = 20_000_000


def run(lab):
    gss.brokers(lab, b=postgres.SERVICE)
    krb5.realm(lab)
    state = lab.a.run(["ip", "xfrm", "state"]).stdout
    lab.expect("ESP encrypts nothing", "enc ecb(cipher_null)" in state and "aead" not in state, state)
    postgres.start(lab.b, more=postgres.IN_CLEAR)
    data = postgres.rows(OCTETS)
    seconds = {}
    for mode in ("disable", "require"):
        back, *seconds[mode] = postgres.copy_both_ways(lab.a, data, mode=mode)
        mechanism = "krb5" if mode == "require" else "none"
        ran(lab, postgres.PROGRAM, postgres.PACKAGES, mechanism, f"COPY of 20 MB both ways, gssencmode={mode}", "the same comes back",
            back == data and len(data) > 0.95 * OCTETS, f"{len(data)} octets went, {len(back)} came back")
    lab.report("result", result={"copy_seconds": seconds})
    wire = lab.a.run(["ip", "-s", "link", "show", "eth0"]).stdout
    lab.expect("in frames of 9000 octets", "mtu 9000" in wire, wire)
