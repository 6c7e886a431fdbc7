# SPDX-License-Identifier: MIT
import glob
import os
import subprocess

import gss
import net
from peer import connected

PACKAGES = f"{os.environ['LAB_TOP']}/build/packages"
# Of a host that has nothing else installed: what other packages do when something changes is not ours to wait for.
BOOKS = "/run/dpkg"
# What dpkg's helpers keep for themselves.
KEPT = ("/var/log/", "/var/cache/", "/etc/ld.so.cache", "/etc/group", "/etc/gshadow", "/etc/.pwd.lock", "/var/lib/systemd/deb-systemd-helper-")
MECH_FILES = "/etc/gss/mech.d"


def dpkg(*words):
    return subprocess.run(["dpkg", f"--admindir={BOOKS}", "--force-depends", *words], capture_output=True, text=True,
                          env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def new_books():
    for folder in ("info", "updates", "triggers"):
        os.makedirs(f"{BOOKS}/{folder}")
    for file in ("status", "available"):
        open(f"{BOOKS}/{file}", "w").close()
    # Kerberos' package, which these books do not know, keeps the folder: dpkg must not remove it.
    open(f"{MECH_FILES}/kept", "w").close()


def names():
    return [os.path.basename(deb).split("_")[0] for deb in glob.glob(f"{PACKAGES}/*.deb")]


def packaged_folders():
    contents = [subprocess.run(["dpkg-deb", "--contents", deb], capture_output=True, text=True, check=True).stdout for deb in glob.glob(f"{PACKAGES}/*.deb")]
    return {line.split()[-1].removeprefix(".").rstrip("/") for line in "".join(contents).splitlines() if line.startswith("d")}


def folders():
    """That the machine has, where packages and their scripts make some."""
    walked = {folder for top in ("/etc", "/var/lib/systemd") for folder, _, _ in os.walk(top)}
    return walked | {folder for folder in packaged_folders() if os.path.isdir(folder)}


def written():
    """Files that are not the machine's, or are no more as it has them, and folders."""
    files, folders = set(), set()
    for folder, below, names in os.walk("/run/upper"):
        here = folder.removeprefix("/run/upper")
        files |= {f"{here}/{name}" for name in names}
        folders |= {f"{here}/{name}" for name in below}
    return {path for path in files if not path.startswith(KEPT)}, folders


def left(files, had):
    now, touched = written()
    return sorted(now - files) + sorted(touched - had - {path for path in touched if os.listdir(path)})


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
    lab.expect("not before SPNEGO yet", interposer(lab.a, "--spnego") == (1, "disabled\n"))
    lab.expect("there it can be, too, and it is told", interposer(lab.a, "enable", "--spnego")[0] == 0 and interposer(lab.a, "--spnego")[0] == 0 and "before SPNEGO" in interposer(lab.a)[1], interposer(lab.a))
    lab.expect("and taken away alone", interposer(lab.a, "disable", "--spnego")[0] == 0 and interposer(lab.a)[0] == 0 and interposer(lab.a, "--spnego")[0] == 1, interposer(lab.a))
    interposer(lab.a, "enable", "--spnego")
    lab.expect("or with the other", interposer(lab.a, "disable")[0] == 0 and interposer(lab.a) == (1, "disabled\n"), interposer(lab.a))
    interposer(lab.a, "enable")
    interposer(lab.a, "enable", "--spnego")


API_PROGRAM = """#include <ipsec/ipsecapi.h>
#include <gss-ipsec/gss_ipsec.h>
int main(void) { return ipsec_api_version() == 0 || gss_ipsec_set_socket(-1) != 0; }
"""
# A connection of its own; neither end sends.
API_SCRIPT = """import ipsecapi, socket
with socket.create_connection(("10.1.0.2", 7001)) as there:
    print(bool(ipsecapi.query(there).flags & ipsecapi.SECURED), ipsecapi.peer(there))
"""


def libraries(lab):
    """What the packages of libraries are for: a question by Python, and a program built as their pkg-config files say."""
    lab.b.popen(["/usr/bin/python3", "-c", "import socket, time; server = socket.create_server(('10.1.0.2', 7001)); time.sleep(60)"], log="listener")
    done = lab.wait(lambda: (ran := lab.a.run(["/usr/bin/python3", "-c", API_SCRIPT])).returncode == 0 and ran, 10)
    lab.expect("Python is told who is at the other end", done and done.stdout.startswith("True fqdn:"), done or lab.a.run(["/usr/bin/python3", "-c", API_SCRIPT]).stderr)
    with open("/run/program.c", "w") as file:
        file.write(API_PROGRAM)
    built = subprocess.run("cc -o /run/program /run/program.c $(pkg-config --cflags --libs ipsecapi gss-ipsec)", shell=True, capture_output=True, text=True)
    lab.expect("a program is built with the -dev packages", built.returncode == 0, built.stderr)
    ran = subprocess.run(["/run/program"], capture_output=True, text=True)
    lab.expect("and runs", ran.returncode == 0, ran)


def lines():
    return "".join(open(file).read() for file in glob.glob(f"{MECH_FILES}/*.conf"))


def removed_and_back(lab):
    """No line names a plugin that is gone; what the administrator wrote is there again."""
    with open(f"{MECH_FILES}/ipsec.conf", "a") as file:
        file.write("# by the administrator\n")
    done = dpkg("--remove", "gss-ipsec")
    lab.expect("removed: no line names the plugin any more", done.returncode == 0 and "mech_ipsec.so" not in lines(), done.stderr[-800:] + lines())
    lab.expect("and the interposer cannot be enabled without it", interposer(lab.a, "enable")[0] == 4 and "mech_ipsec.so" not in lines(), interposer(lab.a, "enable"))
    done = dpkg("-i", *glob.glob(f"{PACKAGES}/gss-ipsec_*.deb"))
    lab.expect("installed again: the lines are back as they were", done.returncode == 0 and "# by the administrator" in lines() and "mech_ipsec.so" in lines(), done.stderr[-800:] + lines())
    lab.expect("the interposer is not", interposer(lab.a) == (1, "disabled\n"))
    interposer(lab.a, "enable")
    interposer(lab.a, "enable", "--spnego")


def purged(lab, files, had):
    # As `systemctl enable` of a namespace's unit leaves it.
    os.makedirs("/etc/systemd/system/sockets.target.wants", exist_ok=True)
    os.symlink("/lib/systemd/system/ipsec-gssd@.socket", "/etc/systemd/system/sockets.target.wants/ipsec-gssd@B.socket")
    done = dpkg("--purge", *names())
    complaints = [line for line in done.stderr.splitlines() if "not empty so not removed" not in line]
    lab.expect("dpkg purges them", done.returncode == 0, (complaints, done.stdout))
    for socket in (lab.a.socket, lab.b.socket):
        lab.expect(f"and says which sockets stay latched by {socket}", f"told by {socket}" in done.stdout and "10.1.0.2:7000" in done.stdout, done.stdout)
    more = left(files, had)
    lab.expect("nothing is left, not even the enabled interposer", not more, more)
    lab.expect("nor in /run", not glob.glob("/run/ipsec-gssd*"))
    group = open("/etc/group").read()
    lab.expect("nor in /etc/group", "\nipsec-gss:" not in group)


def run(lab):
    new_books()
    files, had = written()[0], folders()
    installed(lab)
    tried(lab)
    libraries(lab)
    interposed(lab)
    removed_and_back(lab)
    purged(lab, files, had)
