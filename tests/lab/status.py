# SPDX-License-Identifier: MIT
"""What `ipsec-gss status` says of a connection, as a dictionary."""
import json


def of_peer(host, peer, uid=None):
    """The connected socket of a gss_peer process; {"error": ...} when the tool does not tell exactly one."""
    done = host.run(["/run/bin/ipsec-gss", "status", "--json", "--pid", str(peer.process.pid)], uid=uid)
    try:
        sockets = json.loads(done.stdout)["sockets"]
    except (json.JSONDecodeError, KeyError):
        return {"error": f"{done.returncode} {done.stdout} {done.stderr}"}
    return sockets[0] if sockets else {"error": "no socket"}


def settled(lab, host, peer):
    """After an exchange of IKE: as soon as the peer is known."""
    return lab.wait(lambda: (lambda s: s if s.get("peer_authenticated") else None)(of_peer(host, peer)), 5) or of_peer(host, peer)


def code(said):
    """The reason without its prefix; "" when there is none."""
    why = said.get("why_not") or said.get("error") or {}
    return why.get("code", "").removeprefix("GSS_IPSEC_E_") if isinstance(why, dict) else str(why)
