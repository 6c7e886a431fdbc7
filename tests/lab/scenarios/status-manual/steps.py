# SPDX-License-Identifier: MIT
import json

import net
import status
from peer import connected


def run(lab):
    lab.a.broker(net.static_identities(lab.a))
    lab.b.broker("")
    client, server = lab.a.peer(), lab.b.peer()
    connected(lab, client, server)
    said = status.of_peer(lab.a, client)
    lab.need("one socket is told", "flow" in said, said)
    lab.expect("protected", said["protected"] and said["out"]["protected"] and said["in"]["protected"], said)
    lab.expect("both ends are named", (said["local"]["id"], said["peer"]["id"]) == ("fqdn:client.example.org", "fqdn:server.example.org"), said)
    lab.expect("by the administrator's word", said["peer"]["method"] == "manual keys" and said["peer_authenticated"], said)
    lab.expect("algorithms and mode", (said["out"]["suite"], said["out"]["mode"]) == ("AES_GCM_16-256", "transport"), said)
    lab.expect("root sees the SPIs", said["out"]["sas"] == ["esp 0x00000100 > 10.1.0.2"] and said["in"]["sas"] == ["esp 0x00000200 > 10.1.0.1"], said)
    lab.expect("not latched yet", said["latch"] == "none" and said["latchable"], said)
    other = status.of_peer(lab.b, server)
    lab.expect("without a line the peer is unknown", status.code(other) == "PEER_UNKNOWN" and not other["peer"]["id"] and not other["peer_authenticated"], other)
    held = lab.a.run(["/bin/bash", "-c", "exec 5<>/dev/tcp/10.1.0.2/7000 && exec /run/bin/ipsec-gss status --json --fd 5"])
    lab.expect("of a descriptor that the tool was given", held.returncode == 0 and [s["protected"] for s in json.loads(held.stdout or "{}").get("sockets", [])] == [True], held)
    missing = lab.a.run(["/bin/bash", "-c", "exec 5<&-; exec /run/bin/ipsec-gss status --fd 5"])
    lab.expect("one that is closed is an error", missing.returncode not in (0, None) and "5" in missing.stdout + missing.stderr, missing)
    flow = lab.a.run(["/run/bin/ipsec-gss", "status", "--flow", "tcp", "10.1.0.1:40000", "10.1.0.2:7000"])
    lab.expect("root may ask for a bare flow", flow.returncode == 0 and "protected" in flow.stdout, flow.stdout + flow.stderr)
    refused = lab.a.run(["/run/bin/ipsec-gss", "status", "--flow", "tcp", "10.1.0.1:40000", "10.1.0.2:7000"], uid=2001)
    lab.expect("nobody else may", refused.returncode == 4 and "does not allow" in refused.stdout, refused)
