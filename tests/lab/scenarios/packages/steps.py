# SPDX-License-Identifier: MIT
import glob
import os
import subprocess

import gss
import net
from peer import connected

PACKAGES = f"{os.environ['LAB_TOP']}/build/packages"
# What dpkg and its triggers keep for themselves.
BOOKS = ("/var/lib/dpkg/", "/var/log/", "/var/cache/", "/etc/ld.so.cache", "/etc/group", "/etc/gshadow", "/etc/.pwd.lock", "/var/lib/systemd/deb-systemd-helper-")
MECH_FILES = "/etc/gss/mech.d"


def dpkg(*words):
    return subprocess.run(["dpkg", *words], capture_output=True, text=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def names():
    return [os.path.basename(deb).split("_")[0] for deb in glob.glob(f"{PACKAGES}/*.deb")]


def written():
    """Files and folders that are not the machine's, or are no more as it has them."""
    found = set()
    for folder, folders, files in os.walk("/run/upper"):
        found |= {os.path.join(folder, name).removeprefix("/run/upper") for name in files + folders}
    return {path for path in found if not any((path + "/").startswith(book) for book in BOOKS)}


def interposer(host, *words):
    done = host.run(["/usr/bin/ipsec-gss", "interposer", *words])
    return done.returncode, done.stdout + done.stderr


def installed(lab):
    done = dpkg("-i", *glob.glob(f"{PACKAGES}/*.deb"))
    lab.need("dpkg installs them", done.returncode == 0, done.stdout[-600:] + done.stderr[-800:])
    files = {name: open(f"{MECH_FILES}/{name}").read() for name in os.listdir(MECH_FILES)}
    lab.expect("MIT krb5 finds the mechanism, and no interposer", "mech_ipsec.so" in "".join(files.values()) and "<interposer>" not in "".join(files.values()), files)
    lab.expect("the folder for configurations is root's", os.stat("/etc/ipsec-gss").st_uid == 0)


def tried(lab):
    """A context by what was installed, where it was installed."""
    for host, path in ((lab.a, "/run/ipsec-gss/gssd.sock"), (lab.b, "/run/ipsec-gss/B.sock")):
        host.socket = path
        host.broker(net.static_identities(host), program="/usr/sbin/ipsec-gssd")
    client, server = (host.peer(env={"GSS_MECH_CONFIG": f"{MECH_FILES}/ipsec.conf"}) for host in (lab.a, lab.b))
    connected(lab, client, server, address="10.1.0.2", port=7000)
    gss.context(lab, client, server)
    gss.deliver(lab, "by the installed plugin", client, server, "hello")
    lab.expect("the tool says that it is protected", lab.a.run(["/usr/bin/ipsec-gss", "status", "--pid", str(client.process.pid)]).returncode == 0)


def interposed(lab):
    lab.expect("the interposer is not enabled", interposer(lab.a) == (1, "disabled\n"), interposer(lab.a))
    lab.expect("it can be", interposer(lab.a, "enable")[0] == 0 and interposer(lab.a)[0] == 0, interposer(lab.a))
    lines = [line.split() for line in open(f"{MECH_FILES}/ipsec-krb5.conf") if not line.startswith("#")]
    lab.expect("by a line that names the installed plugin", [len(line) for line in lines] == [4] and os.path.exists(lines[0][2]), lines)


def purged(lab, before):
    done = dpkg("--purge", *names())
    lab.expect("dpkg purges them", done.returncode == 0, done.stdout[-600:] + done.stderr[-800:])
    lab.expect("and says which sockets stay latched", "stay latched" in done.stdout and "10.1.0.2:7000" in done.stdout, done.stdout)
    left = sorted(written() - before)
    lab.expect("nothing is left, not even the enabled interposer", not left, left)
    lab.expect("nor in /run", not glob.glob("/run/ipsec-gssd*"))
    group = open("/etc/group").read()
    lab.expect("nor in /etc/group", "\nipsec-gss:" not in group)


def run(lab):
    before = written()
    installed(lab)
    tried(lab)
    interposed(lab)
    purged(lab, before)
