# SPDX-License-Identifier: MIT
import gss
import interposed
import kerberos
import krb5
from compatibility import ran
from servers import postgres

OCTETS = 200_000_000


def run(lab):
    gss.brokers(lab, a=interposed.LINES, b=interposed.LINES)
    krb5.realm(lab)
    ends = kerberos.Ends(lab, True, True)
    postgres.start(lab.b, ends.server)
    wire = lab.a.capture()
    stream = postgres.Stream(2, OCTETS)
    postgres.fill(lab.a, stream, ends.client)
    lab.expect("COPY FROM goes by the channel", ends.switched() == [True, True], ends)
    lab.expect("in ESP alone", wire.esp_count() > 5_000 and not wire.outside_esp(postgres.PORT), wire.esp_count())
    wire.close()
    lab.a.captures.remove(wire)
    digest, octets = postgres.digest_of_bulk(lab.a, ends.client)
    ran(lab, postgres.PROGRAM, postgres.PACKAGES, "krb5", "COPY of 200 MB both ways, the interposer at both ends, over ESP", "the same comes back",
        digest == stream.digest.hexdigest() and octets > 0.99 * OCTETS, f"{octets} octets came back")
