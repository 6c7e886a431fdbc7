# SPDX-License-Identifier: MIT
import gss
import krb5
from compatibility import ran
from servers import ssh


def run(lab):
    gss.brokers(lab)
    krb5.realm(lab)
    ssh.start(lab.b)
    facts = ssh.ask(lab)
    ran(lab, ssh.PROGRAM, ssh.PACKAGES, "krb5", "gssapi-with-mic", "logs in as the principal's user", facts.ok, facts)
    krb5.no_ticket(lab.a)
    trace = "/tmp/trace"
    facts = ssh.ask(lab, {"GSS_IPSEC_TRACE": trace})
    ran(lab, ssh.PROGRAM, ssh.PACKAGES, "ipsec", "gssapi-with-mic, no ticket", "no: sshd's own list of mechanisms has krb5 alone",
        not facts.ok and "Permission denied (gssapi-with-mic)" in facts.said, facts)
    tried = lab.a.run(["cat", trace]).stdout
    offered = "HELLO on descriptor" in tried and "REPLY" not in tried
    lab.expect("ssh itself takes every mechanism: it offered this one and got no answer", offered, tried)
