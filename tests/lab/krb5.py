# SPDX-License-Identifier: MIT
"""A Kerberos realm of the lab: one KDC, users with the password of their name, services with keytabs."""
import os

REALM = "EXAMPLE.ORG"

CLIENTS = """[libdefaults]
 default_realm = {realm}
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
[realms]
 {realm} = {{
  kdc = {address}
 }}
[domain_realm]
 .example.org = {realm}
"""

KDC = """[kdcdefaults]
 kdc_ports = 88
 kdc_tcp_ports = 88
[realms]
 {realm} = {{
  database_name = {directory}/principal
  key_stash_file = {directory}/stash
  acl_file = {directory}/acl
 }}
"""


def address(host):
    """The first IPv4 address of the host's cable."""
    words = host.run(["ip", "-4", "-o", "addr", "show", "dev", "eth0"]).stdout.split()
    return words[words.index("inet") + 1].split("/")[0]


def start(host, users, services):
    directory = f"{host.directory}/kdc"
    os.makedirs(directory)
    for each in host.lab.hosts.values():
        with open(f"{each.directory}/krb5.conf", "w") as file:
            file.write(CLIENTS.format(realm=REALM, address=address(host)))
    with open(f"{directory}/kdc.conf", "w") as file:
        file.write(KDC.format(realm=REALM, directory=directory))
    profile = {"KRB5_KDC_PROFILE": f"{directory}/kdc.conf"}
    must(host, ["/usr/sbin/kdb5_util", "create", "-s", "-r", REALM, "-P", "master"], profile)
    lines = [f"addprinc -pw {user} {user}" for user in users]
    for holder, principal in services:
        lines += [f"addprinc -randkey {principal}", f"ktadd -k {holder.directory}/keytab {principal}"]
    with open(f"{directory}/commands", "w+") as commands:
        commands.write("\n".join(lines) + "\n")
        commands.seek(0)
        must(host, ["/usr/sbin/kadmin.local", "-r", REALM], profile, stdin=commands)
    daemon = host.popen(["/usr/sbin/krb5kdc", "-n"], env=profile, log="krb5kdc.log")
    if not host.lab.wait(lambda: listens(daemon), 10):
        raise RuntimeError(f"the KDC of {host.name} does not start: {host.log('krb5kdc.log')[-1000:]}")
    return daemon


def listens(daemon):
    with open(f"/proc/{daemon.pid}/net/tcp") as table:
        return ":0058 00000000:0000 0A" in table.read()


def must(host, argv, env, **options):
    done = host.run(argv, env=env, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{argv[0]}: {done.stdout}{done.stderr}")


def ticket(host, user="alice", uid=None):
    """The user's ticket, in the host's default cache."""
    with open(f"{host.directory}/password", "w+") as password:
        password.write(user + "\n")
        password.seek(0)
        return host.run(["/usr/bin/kinit", f"{user}@{REALM}"], uid=uid, stdin=password)
