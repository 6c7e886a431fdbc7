# SPDX-License-Identifier: MIT
import os

import gss
import net
import status
from systemd import Systemd, built_unit

FIGURES = "/run/ipsec-gssd/metrics.prom"
NET_ADMIN = "0000000000001000"
UNITS = ("ipsec-gssd.service", "ipsec-gssd.socket", "ipsec-gssd@.service", "ipsec-gssd@.socket")


def start(lab):
    """systemd in A's namespace: its own broker serves A, the template's instance B."""
    os.makedirs("/etc/ipsec-gss", exist_ok=True)
    for host, name in ((lab.a, "gssd.conf"), (lab.b, "gssd@B.conf")):
        with open(f"/etc/ipsec-gss/{name}", "w") as file:
            file.write('[ike]\nvici = ""\n' + net.static_identities(host) + (f'[metrics]\nfile = "{FIGURES}"\ninterval = 1\n' if host is lab.a else ""))
    units = {name: built_unit(lab.job["build"], name) for name in UNITS}
    units["ipsec-gssd.service.d/lab.conf"] = "[Service]\nWatchdogSec=2\nRestartSec=0\n"
    manager = Systemd(lab.a, units)
    lab.a.socket, lab.b.socket = "/run/ipsec-gss/gssd.sock", "/run/ipsec-gss/B.sock"
    for name in ("ipsec-gssd.socket", "ipsec-gssd@B.socket"):
        done = manager.systemctl("start", name)
        lab.need(f"{name} is started", done.returncode == 0, done.stderr + lab.a.log("systemd.log"))
    return manager


def activated(lab, manager):
    lab.expect("no broker runs before somebody asks", manager.shows("ipsec-gssd.service", "ActiveState") == {"ActiveState": "inactive"})
    asked = lab.a.run(["/run/bin/ipsec-gss", "probe"], uid=2001)
    lab.expect("the first client starts it and is answered", asked.returncode == 0, asked.stderr + lab.a.log("systemd.log")[-1500:])
    shown = manager.shows("ipsec-gssd.service", "ActiveState", "SubState", "StatusText", "Type")
    lab.expect("it said that it is ready", shown == {"ActiveState": "active", "SubState": "running", "StatusText": "Serving", "Type": "notify"}, shown)


def hardened(lab, manager, unit):
    said = manager.status(unit)
    lab.expect(f"{unit}: CAP_NET_ADMIN and nothing else", {said.get(k) for k in ("CapPrm", "CapEff", "CapBnd")} == {NET_ADMIN} and said["CapAmb"].strip("0") == "", said)
    lab.expect(f"{unit}: system calls are filtered, no privileges come back", said.get("Seccomp") == "2" and said.get("NoNewPrivs") == "1", said)
    inside = manager.run("sh", "-c", f"nsenter -t {manager.shows(unit, 'MainPID')['MainPID']} --mount sh -c 'touch /etc/x /usr/x /var/x /run/x; ls /root /home'")
    lab.expect(f"{unit}: nothing can be written, nobody's home is seen", inside.stderr.count("Read-only file system") == 4, inside.stdout + inside.stderr)


def serves(lab):
    """The main job, between two brokers under their units."""
    # A broker knows of a connection's beginning only what it saw.
    lab.need("the other host's first client starts its broker", lab.b.run(["/run/bin/ipsec-gss", "probe"], uid=2001).returncode == 0)
    client, server = gss.peers(lab)
    gss.context(lab, client, server)
    gss.deliver(lab, "over both brokers", client, server, "a message")
    said = status.of_peer(lab.a, client)
    lab.expect("latched under all restrictions", said.get("latch") == "established" and said.get("since_start"), said)
    foreign = lab.b.run(["/run/bin/ipsec-gss", "status", "--json", "--pid", str(server.process.pid)], env={"GSS_IPSEC_BROKER": lab.a.socket})
    lab.expect("the host's broker refuses sockets of B", "OTHER_NAMESPACE" in foreign.stdout, foreign.stdout)
    return client, server


def reloads(lab, manager):
    pid = manager.shows("ipsec-gssd.service", "MainPID")
    with open("/etc/ipsec-gss/gssd.conf", "a") as file:
        file.write("[access]\nquery = []\n")
    done = manager.systemctl("reload", "ipsec-gssd.service")
    lab.expect("systemctl reload", done.returncode == 0, done.stderr)
    refused = lab.wait(lambda: lab.a.run(["/run/bin/ipsec-gss", "status", "--flow", "tcp", "10.1.0.1:1", "10.1.0.2:2"], uid=2001).returncode == 4, 5)
    lab.expect("the new access policy holds", refused)
    with open("/etc/ipsec-gss/gssd.conf", "a") as file:
        file.write("[mistake]\n")
    manager.systemctl("reload", "ipsec-gssd.service")
    told = lab.wait(lambda: "the new one is wrong" in manager.shows("ipsec-gssd.service", "StatusText")["StatusText"], 5)
    lab.expect("a wrong one is reported in the unit's status", told, manager.shows("ipsec-gssd.service", "StatusText"))
    lab.expect("the process is the same", manager.shows("ipsec-gssd.service", "MainPID") == pid)
    lab.expect("and the log says what is wrong", "mistake" in lab.a.log("systemd.log"), lab.a.log("systemd.log")[-600:])


def figures(lab, manager):
    """The file and the verb, read by Prometheus' own parser."""
    from prometheus_client.parser import text_string_to_metric_families
    done = manager.run("sh", "-c", f"stat -c %a {FIGURES} && cat {FIGURES}")
    mode, _, text = done.stdout.partition("\n")
    asked = lab.a.run(["/run/bin/ipsec-gss", "metrics"]).stdout
    lab.expect("anybody can read the file", mode == "644", mode)
    for name, source in (("file", text), ("verb", asked)):
        families = {family.name: family for family in text_string_to_metric_families(source)}
        values = {(sample.name, *sorted(sample.labels.values())): sample.value for family in families.values() for sample in family.samples}
        lab.expect(f"{name}: each figure has its type and help", families and all(f.type in ("counter", "gauge") and f.documentation for f in families.values()), list(families))
        lab.expect(f"{name}: counters are called so", all(s.name.endswith("_total") for f in families.values() for s in f.samples if f.type == "counter"))
        lab.expect(f"{name}: what happened is in it", values.get(("ipsec_gssd_latches",)) == 1 and values.get(("ipsec_gssd_reloads_total",)) == 1
                   and values.get(("ipsec_gssd_reloads_failed_total",)) == 1 and values.get(("ipsec_gssd_ike_source_up", "static")) == 1, values)
        documented = [f.name for f in families.values() if f.name.removeprefix("ipsec_gssd_") not in manual(lab)]
        lab.expect(f"{name}: each is in ipsec-gssd(8)", not documented, documented)


def manual(lab):
    with open(os.path.join(os.path.dirname(__file__), "../../../../docs/man/ipsec-gssd.8")) as file:
        return file.read()


def watchdog(lab, manager, client):
    pid = manager.shows("ipsec-gssd.service", "MainPID")["MainPID"]
    with open("/etc/ipsec-gss/gssd.conf") as file:
        good = file.read().partition("[mistake]")[0].replace("query = []", 'query = ["*"]')
    with open("/etc/ipsec-gss/gssd.conf", "w") as file:
        file.write(good)
    manager.run("kill", "-STOP", pid)
    lab.expect("a broker that hangs is started anew", lab.wait(lambda: manager.shows("ipsec-gssd.service", "MainPID")["MainPID"] not in ("0", pid), 10, step=0.3), lab.a.log("systemd.log")[-900:])
    lab.expect("on the same socket", lab.wait(lambda: status.of_peer(lab.a, client).get("protected"), 5))
    wire = lab.a.capture()
    client.cmd("send", gss.text("after the restart"))
    lab.expect("the latched connection went on", lab.wait(wire.esp_spis, 3) and not wire.clear_segments(7000, bare=True))


def run(lab):
    manager = start(lab)
    activated(lab, manager)
    client, server = serves(lab)
    for unit in ("ipsec-gssd.service", "ipsec-gssd@B.service"):
        hardened(lab, manager, unit)
    reloads(lab, manager)
    lab.wait(lambda: False, 1.1)  # the next writing
    figures(lab, manager)
    watchdog(lab, manager, client)
    done = manager.systemctl("stop", "ipsec-gssd.service", "ipsec-gssd@B.service")
    shown = [manager.shows(unit, "ActiveState", "Result") for unit in ("ipsec-gssd.service", "ipsec-gssd@B.service")]
    lab.expect("both end well", done.returncode == 0 and all(s == {"ActiveState": "inactive", "Result": "success"} for s in shown), shown)
    again = lab.a.run(["/run/bin/ipsec-gss", "probe"])
    lab.expect("and start again for the next client", again.returncode == 0, again.stderr)
    manager.down()
