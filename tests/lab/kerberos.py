# SPDX-License-Identifier: MIT
"""Kerberos over the channel: ends with and without the interposer, and what kind each message token is."""
import os

import gss
import krb5
from host import MECHANISM

KRB5, SPNEGO = "1.2.840.113554.1.2.2", "1.3.6.1.5.5.2"
IPSEC_FIRST = 'spnego = "ipsec-first"\n'  # behind the line of a program
KINDS = {"05": "kerberos", "14": "offer", "11": "channel", "12": "sealed"}
GSS_S_BAD_BINDINGS = 4 << 16


def program(use, path="/run/bin/gss_peer"):
    """The administrator's line."""
    return f'[[program]]\npath = "{path}"\nkerberos = "{use}"\n'


def interposed(host, spnego=False):
    """An environment with the interposer, before SPNEGO as well or not."""
    path = f"{host.directory}/interposed{'-spnego' if spnego else ''}.conf"
    base = MECHANISM.rsplit(".", 1)[0]
    with open(path, "w") as conf:
        conf.write(f"ipsec {MECHANISM} /run/bin/mech_ipsec.so\nipsec-krb5 {base}.2 /run/bin/mech_ipsec.so <interposer>\n")
        if spnego:
            conf.write(f"ipsec-spnego {base}.8 /run/bin/mech_ipsec.so <interposer>\n")
    return {"GSS_MECH_CONFIG": path}


def is_error(token):
    """KRB-ERROR in Kerberos' frame (RFC 4121 4.1), or no token."""
    return not token or token[26:30] == "0300" and token[30:32] == "7e"


def peer(host, env=None, uid=None):
    one = host.peer(uid, interposed(host) if env is None else env)
    one.cmd("mech", KRB5)
    return one


def send(lab, name, sender, receiver, message="attack at dawn", conf=1):
    """A message goes over the connection; the kind of its token."""
    wrapped = sender.cmd("wrap", 0, conf, gss.text(message))
    if not lab.expect(f"{name}: wraps", wrapped["major"] == 0, gss.why(wrapped)):
        return "none"
    sender.cmd("send", wrapped["token"])
    got = receiver.cmd("unwrap", receiver.cmd("recv")["data"])
    lab.expect(f"{name}: unwraps to the same", got["major"] == 0 and got["data"] == gss.text(message), gss.why(got))
    return KINDS.get(wrapped["token"][:2], wrapped["token"][:2])


def conversation(lab, name, client, server, count=4):
    """Messages both ways, the acceptor's first; the kinds of both, in order."""
    return [[send(lab, f"{name} {i} {which}", *ends) for which, ends in (("back", (server, client)), ("there", (client, server)))] for i in range(count)]


def realm(lab):
    krb5.realm(lab, services=("host",))


class Ends:
    """The environments of a real client on A and a real server on B, each with the interposer or not, and what their plugins wrote."""

    def __init__(self, lab, client, server):
        self.client = self.environment(lab.a, client, "client")
        self.server = self.environment(lab.b, server, "server")

    @staticmethod
    def environment(host, interposes, name):
        trace = f"/tmp/trace-{name}"
        if os.path.exists(trace):
            os.unlink(trace)
        return {**(interposed(host) if interposes else {}), "GSS_IPSEC_TRACE": trace}

    def switched(self):
        """Whether each end says that it speaks by the channel now."""
        return [said in self.log(env) for env, said in ((self.client, "SWITCH believed"), (self.server, "the peer switched"))]

    def bound(self):
        """Whether the server knows that both were given the same bindings. The client is not told."""
        return "bound to the channel" in self.log(self.server)

    @staticmethod
    def log(env):
        path = env["GSS_IPSEC_TRACE"]
        return open(path).read() if os.path.exists(path) else ""

    def __str__(self):
        return f"{self.log(self.client)[-700:]} | {self.log(self.server)[-700:]}"
