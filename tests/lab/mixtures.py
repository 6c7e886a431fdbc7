# SPDX-License-Identifier: MIT
"""The real programs with krb5, where both ends have something in their environment, one has it, or none."""
import gss
import krb5
from compatibility import ran
from servers import apache, cyrus, postgres, slapd

PROGRAMS = ((postgres, "alice@EXAMPLE.ORG"), (slapd, "dn:cn=alice,dc=example,dc=org"), (cyrus, "alice"), (apache, "alice@EXAMPLE.ORG"))
NO_PLUGIN = {"GSS_MECH_CONFIG": "/dev/null"}


def realm(lab):
    gss.brokers(lab, b=postgres.SERVICE + slapd.SERVICE + apache.SERVICE)
    krb5.realm(lab)


def run(lab, what, having, lacking, below):
    """`having` and `lacking`: environments of an end with and without `what`; `below`: what carries the programs' connections."""
    mixtures = {"both ends": (having, having), "the client": (having, lacking), "the server": (lacking, having), "neither end": (lacking, lacking)}
    for module, user in PROGRAMS:
        for where, (client, server) in mixtures.items():
            facts = module.run(lab, client, server)
            ran(lab, module.PROGRAM, module.PACKAGES, "krb5", f"{what} at {where}, {below}", f"works, the user is {user}",
                facts.ok and facts.user == user, facts)
