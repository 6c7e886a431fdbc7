# SPDX-License-Identifier: MIT
import gss
import krb5
from compatibility import ran
from servers import postgres, slapd

OCTETS = 20_000_000
SAME = "the same comes back"


def copy(lab, seconds):
    postgres.start(lab.b, more=postgres.IN_CLEAR)
    data = postgres.rows(OCTETS)
    for mechanism, mode in (("none", "disable"), ("krb5", "require")):
        back, *seconds[f"copy {mode}"] = postgres.copy_both_ways(lab.a, data, mode=mode)
        ran(lab, postgres.PROGRAM, postgres.PACKAGES, mechanism, f"COPY of 20 MB both ways, gssencmode={mode}", SAME,
            back == data and len(data) > 0.95 * OCTETS, f"{len(data)} octets went, {len(back)} came back")


def search(lab, seconds):
    entries, lines = slapd.photos(OCTETS)
    slapd.start(lab.b, entries=entries)
    for name, layer in (("no layer", "maxssf=0"), ("at least ssf 256", "minssf=256")):
        back, seconds[f"ldapsearch {layer}"] = slapd.fetch_photos(lab.a, more=("-O", layer))
        ran(lab, slapd.PROGRAM, slapd.PACKAGES, "krb5", f"20 MB of pictures, {name}", SAME, back == lines, f"{len(lines)} went, {len(back)} came back")


def run(lab):
    gss.brokers(lab, b=postgres.SERVICE + slapd.SERVICE)
    krb5.realm(lab)
    state = lab.a.run(["ip", "xfrm", "state"]).stdout
    lab.expect("ESP encrypts nothing", "enc ecb(cipher_null)" in state and "aead" not in state, state)
    wire = lab.a.run(["ip", "-s", "link", "show", "eth0"]).stdout
    lab.expect("in frames of 9000 octets", "mtu 9000" in wire, wire)
    seconds = {}
    copy(lab, seconds)
    search(lab, seconds)
    lab.report("result", result=seconds)
