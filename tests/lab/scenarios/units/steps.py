# SPDX-License-Identifier: MIT
import os
import shutil
import subprocess

import gss
import net
from systemd import Systemd, facts

ALICE = 2001
HOST, OTHER = "ipsec-gssd.service", "ipsec-gssd@B.service"
NET_ADMIN = f"{1 << 12:016x}"


def install(lab):
    """Where the built tree's units look for it; folders and group by the package's own snippets."""
    packaging = f"{os.environ['LAB_TOP']}/packaging"
    program = next(line for line in open(f"/run/bin/{HOST}") if line.startswith("ExecStart=")).split("=")[1].strip()
    os.makedirs(os.path.dirname(program), exist_ok=True)
    shutil.copy("/run/bin/ipsec-gssd", program)
    for tool, folder in (("systemd-sysusers", "sysusers"), ("systemd-tmpfiles --create", "tmpfiles")):
        done = subprocess.run([*tool.split(), f"{packaging}/{folder}/ipsec-gss.conf"], capture_output=True, text=True)
        lab.expect(f"{tool}: applied", done.returncode == 0, done.stderr)
    lab.expect("the group of those who watch is there", "\nipsec-gss:" in open("/etc/group").read())
    for folder in ("/run/ipsec-gss", "/etc/ipsec-gss"):
        lab.expect(f"{folder} is root's", os.stat(folder).st_uid == 0 and os.stat(folder).st_mode & 0o777 == 0o755, os.stat(folder))
    return [f"/run/bin/{unit}" for unit in (HOST, "ipsec-gssd@.service")] + [f"{packaging}/systemd/ipsec-gssd{at}.socket" for at in ("", "@")]


def answered(host, uid=None):
    return host.run(["/run/bin/ipsec-gss", "metrics"], uid=uid).returncode == 0


def configure(host, path, more=""):
    with open(path, "w") as file:
        file.write(net.static_identities(host) + more)


def hardened(lab, systemd, unit):
    process = systemd.main_process(unit)
    lab.need(f"{unit}: has a process", process)
    said = facts(process)
    sets = {name: said[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
    lab.expect(f"{unit}: CAP_NET_ADMIN and nothing else", set(sets.values()) == {NET_ADMIN, "0" * 16} and sets["CapEff"] == sets["CapBnd"] == NET_ADMIN, sets)
    lab.expect(f"{unit}: no new privileges, system calls filtered", said["NoNewPrivs"] == "1" and said["Seccomp"] == "2", said)

    def inside(what):
        return subprocess.run(["nsenter", "--target", process, "--mount", "/bin/sh", "-c", what], capture_output=True, text=True)
    for place in ("/etc/written", "/usr/written", "/run/ipsec-gss/written", "/proc/sys/net/ipv4/ip_forward", "/sys/fs/cgroup/cgroup.procs"):
        done = inside(f"echo 1 >{place}")
        lab.expect(f"{unit}: {place} cannot be written", done.returncode != 0 and "Read-only" in done.stderr, done.stderr)
    for socket in ("/run/systemd/private", "/run/systemd/notify"):
        hidden = inside(f"stat -c %a {socket}").stdout.strip() == "0"
        lab.expect(f"{unit}: {socket} is {'out of' if 'private' in socket else 'within'} reach", hidden == ("private" in socket), inside(f"ls -l {socket}").stdout)
    figures = f"/run/{unit.removesuffix('.service')}"
    lab.expect(f"{unit}: its folder for figures can be", inside(f"echo 1 >{figures}/written && rm {figures}/written").returncode == 0)
    lab.expect(f"{unit}: no devices, no files of others in /tmp", inside("test ! -e /dev/mem && test ! -e /dev/kmsg && test -z \"$(ls -A /tmp)$(ls -A /home)\"").returncode == 0, inside("ls /dev /tmp /home").stdout)
    return process


def serves_its_own(lab, processes):
    for host, process in zip((lab.a, lab.b), processes):
        there, wanted = os.stat(f"/proc/{process}/ns/net").st_ino, os.stat(f"/run/netns/{host.name}").st_ino
        lab.expect(f"the broker of {host.name} is in {host.name}'s namespace", there == wanted)


def reloads(lab, systemd, process):
    """Alice may read the figures from then on."""
    lab.expect("alice may not see the figures", not answered(lab.a, ALICE))
    configure(lab.a, "/etc/ipsec-gss/gssd.conf", '[access]\nmetrics = ["alice"]\n')
    said = systemd.systemctl("reload", HOST)
    lab.expect("systemctl reload: from now on she may", lab.wait(lambda: answered(lab.a, ALICE), 3), said)
    lab.expect("the same process serves on", systemd.main_process(HOST) == process and systemd.show(HOST, "ActiveState") == "active")


def starts_anew(lab, systemd, process):
    """More often than systemd's limit is for others: five times in ten seconds."""
    for time in range(6):
        os.kill(int(process), 9)
        lab.need(f"a broker that dies is started anew, time {time + 1}", lab.wait(lambda: systemd.main_process(HOST) not in (None, process) and systemd.is_active(HOST), 8), systemd.systemctl("status", HOST))
        process = systemd.main_process(HOST)


def ends(lab, systemd):
    for unit in (HOST, OTHER):
        systemd.systemctl("stop", unit)
        said = [systemd.show(unit, name) for name in ("ActiveState", "Result", "ExecMainStatus")]
        lab.expect(f"{unit}: ends cleanly", said == ["inactive", "success", "0"], said)
    lab.expect("its socket stays, and the next client starts it", lab.wait(lambda: answered(lab.a), 8) and systemd.is_active(HOST))


def run(lab):
    systemd = Systemd(lab.a, install(lab))
    configure(lab.a, "/etc/ipsec-gss/gssd.conf")
    configure(lab.b, "/etc/ipsec-gss/gssd@B.conf")
    lab.a.socket, lab.b.socket = "/run/ipsec-gss/gssd.sock", "/run/ipsec-gss/B.sock"
    said = systemd.systemctl("start", "ipsec-gssd.socket", "ipsec-gssd@B.socket")
    lab.need("the sockets are there, the services do not run", all(systemd.show(u, "ActiveState") == "inactive" for u in (HOST, OTHER)) and lab.a.answers() and lab.b.answers(), said)
    for host, unit in ((lab.a, HOST), (lab.b, OTHER)):
        lab.need(f"{unit}: a client starts it and is answered", lab.wait(lambda: answered(host), 8), systemd.systemctl("status", unit))
        lab.need(f"{unit} is ready, by its own word", systemd.is_active(unit) and systemd.show(unit, "StatusText") == "Serving", systemd.systemctl("status", unit))
    client, server = gss.peers(lab)
    gss.context(lab, client, server)
    gss.deliver(lab, "by brokers of systemd", client, server, "first")
    processes = [hardened(lab, systemd, unit) for unit in (HOST, OTHER)]
    serves_its_own(lab, processes)
    reloads(lab, systemd, processes[0])
    gss.deliver(lab, "after the reload", client, server, "second")
    starts_anew(lab, systemd, processes[0])
    ends(lab, systemd)
