# SPDX-License-Identifier: MIT
"""What `ipsec-gss status` says of a connection, as a dictionary; the broker's figures."""
import json
import socket
import struct

HEADER = ">IHHII"
HELLO, METRICS = 1, 14


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


def figures(host):
    """The broker's own figures, by name with labels, asked for by METRICS."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(5)
        s.connect(host.socket)
        for verb, body in ((HELLO, struct.pack(">HHH", 1, 1, 0)), (METRICS, b"")):
            s.send(struct.pack(HEADER, 0x49504753, 1, verb, verb, 0) + body)
            answer = s.recv(70000)
        if struct.unpack(HEADER, answer[:16])[4] != 0:
            raise RuntimeError(f"METRICS: {answer[16:]}")
    lines = [line.rpartition(" ") for line in answer[18:].decode().splitlines() if not line.startswith("#")]
    return {name.removeprefix("ipsec_gssd_"): int(value) for name, _, value in lines}
