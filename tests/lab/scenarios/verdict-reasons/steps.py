# SPDX-License-Identifier: MIT
import net
import status
from peer import connected

GMAC = "aead rfc4543(gcm(aes)) {key} 128"


def reason(lab, prepare, expected, text):
    """Prepares both hosts, connects and compares what A is told."""
    for host in (lab.a, lab.b):
        host.ip("xfrm policy flush", "xfrm state flush")
    client, server = lab.a.peer(), lab.b.peer()
    reason.port += 1
    connected(lab, client, server, port=reason.port)
    for host in (lab.a, lab.b):
        prepare(host)
    said = lab.wait(lambda: (lambda s: s if status.code(s) == expected else None)(status.of_peer(lab.a, client)), 2) or status.of_peer(lab.a, client)
    lab.expect(text, status.code(said) == expected and (expected == "" or not said["protected"]), said)
    if not said.get("protected"):
        named = client.cmd("cred", "initiate", "socket=current")
        lab.expect(f"{text}: no credential for it, for the same reason", named["major"] != 0 and said["why_not"]["text"] in named["why"], (named, said))
    client.end()
    server.end()
    return said


reason.port = 7000


def run(lab):
    lab.a.broker(net.static_identities(lab.a))
    reason(lab, lambda host: None, "NO_POLICY", "no policy")

    def both(host, **options):
        net.sas(host)
        net.policies(host, **options)
    reason(lab, lambda host: both(host, directions=("out",)), "ONE_DIRECTION", "only an outbound policy")
    reason(lab, lambda host: both(host, directions=("in",)), "ONE_DIRECTION", "only an inbound policy")
    reason(lab, lambda host: both(host, level="use"), "OPTIONAL_POLICY", "policies of level use")
    reason(lab, lambda host: net.policies(host), "NO_SA", "policies without SAs")

    def no_cipher(host):
        net.sas(host, algorithm=GMAC)
        net.policies(host)
    said = reason(lab, no_cipher, "", "ESP with GMAC is protected, but not confidential")
    lab.expect("no confidentiality is claimed", said["protected"] and not said["out"]["confidentiality"] and said["out"]["integrity"], said)

    reason(lab, lambda host: host.ip("xfrm policy add src 10.1.0.0/24 dst 10.1.0.0/24 dir out action block",
                                     "xfrm policy add src 10.1.0.0/24 dst 10.1.0.0/24 dir in action block"), "BLOCKED", "a block")
