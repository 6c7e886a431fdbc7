# SPDX-License-Identifier: MIT
"""strongSwan's charon, one a host."""
import os
import re
import shutil
import subprocess

from net import PEER, V4, V6

IDS = {"A": "client.example.org", "B": "server.example.org"}
SUBJECTS = {host: f"O=Lab, CN={name}" for host, name in IDS.items()}  # of their certificates
PLUGINS = ("random nonce openssl kdf hmac sha1 sha2 gcm aes x509 constraints pubkey pem pkcs1 pkcs8 revocation curve25519 kernel-netlink "
           "socket-default vici")
SWANCTL_PLUGINS = "pem pkcs1 pkcs8 x509 pubkey openssl"


def settings(host):
    return f"""charon-systemd {{
 load = {PLUGINS}
 plugins {{
  vici {{
   socket = unix://{host.directory}/vici
  }}
 }}
 filelog {{
  f {{
   path = {host.directory}/charon.log
   default = 1
   flush_line = yes
  }}
 }}
}}
swanctl {{
 load = {SWANCTL_PLUGINS}
}}
"""


def connection(host, auth, family=V4, remote_id=None, local_id=None, certificate=None, extra="", child="", name="c", esp="aes256gcm16-curve25519"):
    """A swanctl connection in transport mode that traps: IKE starts with the first packet, and nothing leaves in clear. `certificate` is named
    where the identity is not its file's name.
    With `esp="null-sha256-curve25519"` nothing is encrypted."""
    own, peer = family[host.name], family[PEER[host.name]]
    local_id = local_id or IDS[host.name]
    local = f"auth = {auth}\n id = {local_id}\n" + (f"certs = {certificate or local_id}.crt\n" if auth == "pubkey" else "")
    remote = f"auth = {auth}\n id = {remote_id or IDS[PEER[host.name]]}\n" + ("cacerts = ca.crt\n" if auth == "pubkey" else "")
    return f"""{name} {{
 version = 2
 mobike = no
 local_addrs = {own}
 remote_addrs = {peer}
 proposals = aes256gcm16-prfsha256-curve25519
 {extra}
 local {{
 {local} }}
 remote {{
 {remote} }}
 children {{
  t {{
   mode = transport
   esp_proposals = {esp}
   start_action = trap
   {child}
  }}
 }}
}}
"""


def configure(host, connections, psk=None, local_id=None, pools=""):
    """`local_id`: another one of the authority's names than the host's own. `pools`: addresses that it gives to peers."""
    directory = f"{host.directory}/swanctl"
    for folder in ("x509", "x509ca", "private"):
        os.makedirs(f"{directory}/{folder}", exist_ok=True)
    pki = host.lab.job["pki"]
    shutil.copy(f"{pki}/ca.crt", f"{directory}/x509ca/")
    for name, folder in ((f"{local_id or IDS[host.name]}.crt", "x509"), (f"{local_id or IDS[host.name]}.key", "private")):
        shutil.copy(f"{pki}/{name}", f"{directory}/{folder}/")
    secrets = f'secrets {{\n ike-1 {{\n secret = "{psk}"\n }}\n}}\n' if psk else ""
    with open(f"{directory}/swanctl.conf", "w") as file:
        file.write(f"connections {{\n{connections}}}\n{secrets}pools {{\n{pools}}}\n")
    with open(f"{host.directory}/strongswan.conf", "w") as file:
        file.write(settings(host))


def start(host):
    """Starts charon and loads the connections."""
    environment = {"STRONGSWAN_CONF": f"{host.directory}/strongswan.conf", "SWANCTL_DIR": f"{host.directory}/swanctl"}
    host.charon = host.popen(["/usr/sbin/charon-systemd"], env=environment, log="charon.out")
    vici = f"{host.directory}/vici"
    if not host.lab.wait(lambda: os.path.exists(vici), 15):
        raise RuntimeError(f"charon of {host.name} does not start: {host.log('charon.out')[-1000:]}")
    load(host)


def load(host):
    done = swanctl(host, "--load-all", "-f", f"{host.directory}/swanctl/swanctl.conf")
    if done.returncode != 0:
        raise RuntimeError(f"swanctl on {host.name}: {done.stdout}{done.stderr}")


def swanctl(host, *words):
    environment = {"STRONGSWAN_CONF": f"{host.directory}/strongswan.conf", "SWANCTL_DIR": f"{host.directory}/swanctl"}
    return host.run(["/usr/sbin/swanctl", *words, "--uri", f"unix://{host.directory}/vici"], env=environment)


def stop(host, kill=False):
    (host.charon.kill if kill else host.charon.terminate)()
    host.charon.wait(timeout=10)
    host.processes.remove(host.charon)
    if os.path.exists(f"{host.directory}/vici"):
        os.unlink(f"{host.directory}/vici")


def broker_config(host, more=""):
    return f'[ike]\nvici = "unix://{host.directory}/vici"\n{more}'


def initiate(host, child="t"):
    return swanctl(host, "--initiate", "--child", child, "--timeout", "10")


def rekey(host, child="t"):
    return swanctl(host, "--rekey", "--child", child)


def state(host):
    """The kernel's SAs, as ip(8) writes them."""
    return subprocess.run(["ip", "-n", host.name, "xfrm", "state"], capture_output=True, text=True).stdout


def installed_spis(host):
    """SPIs of the ESP SAs in the kernel. Without larval ones, which have no keys: a latch's policy names its SPI, and what is sent
    between the end of an SA and the latch's next policy leaves one of that SPI for a while."""
    states = re.split(r"^(?=src )", state(host), flags=re.M)
    return {int(found[1], 16) for text in states if re.search(r"^\s+(aead|enc|auth)", text, re.M)
            and (found := re.search(r"proto esp spi (0x[0-9a-f]+)", text))}


__all__ = ["IDS", "SUBJECTS", "V4", "V6", "broker_config", "configure", "connection", "initiate", "installed_spis", "load", "rekey", "start", "state", "stop", "swanctl"]
