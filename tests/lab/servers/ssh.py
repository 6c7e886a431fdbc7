# SPDX-License-Identifier: MIT
"""OpenSSH with GSSAPI. The daemon is root's here, who alone can let others in."""
import os

from servers.daemon import SERVER, USERS, Facts, folder, must, running, serve, write

PROGRAM = "ssh, sshd"
PACKAGES = ("openssh-client", "openssh-server")
PORT = 2222

CONFIGURATION = """Port {port}
ListenAddress 10.1.0.2
HostKey {directory}/data/key
PidFile none
UsePAM no
AuthenticationMethods gssapi-with-mic
GSSAPIAuthentication yes
GSSAPIStrictAcceptorCheck no
LogLevel DEBUG1
"""
OPTIONS = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "GSSAPIAuthentication=yes", "PreferredAuthentications=gssapi-with-mic",
           "BatchMode=yes", "ConnectTimeout=20")


def start(host, env=None):
    directory = folder(host, "ssh", "sshd")
    os.chown(f"{directory}/data", 0, 0)
    os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    must(host.run(["/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{directory}/data/key"]))
    write(f"{directory}/sshd_config", CONFIGURATION.format(port=PORT, directory=directory))
    return serve(host, ["/usr/sbin/sshd", "-D", "-e", "-f", f"{directory}/sshd_config"], PORT, "sshd.log", env=env)


def ask(lab, env=None):
    """Who alice is on the server."""
    words = [word for option in OPTIONS for word in ("-o", option)]
    argv = ["/usr/bin/ssh", "-v", "-F", "/dev/null", *words, "-p", str(PORT), f"alice@{SERVER}", "id -un"]
    done = lab.a.run(argv, env=env, uid=USERS["alice"])
    user = done.stdout.strip()
    return Facts(done.returncode == 0 and user == "alice", user, "", done.stdout + done.stderr[-2500:] + lab.b.log("sshd.log")[-1500:])


def run(lab, client=None, server=None):
    """ssh with gssapi-with-mic; `client` and `server` are what each end's environment has more."""
    with running(lab.b, start(lab.b, server)):
        return ask(lab, client)
