# SPDX-License-Identifier: MIT
"""A Kerberos realm of the lab: one KDC, users with the password of their name, services with keytabs."""
import os

from servers.daemon import SERVER, USERS, serve

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
    return serve(host, ["/usr/sbin/krb5kdc", "-n"], 88, "krb5kdc.log", env=profile)


def must(host, argv, env, **options):
    done = host.run(argv, env=env, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{argv[0]}: {done.stdout}{done.stderr}")


def ticket(host, user="alice", uid=None, more=()):
    """The user's ticket, in the host's default cache; `uid` is whose cache that becomes; `more`: words for kinit."""
    with open(f"{host.directory}/password", "w+") as password:
        password.write(user + "\n")
        password.seek(0)
        done = host.run(["/usr/bin/kinit", *more, f"{user}@{REALM}"], stdin=password)
    if uid is not None and done.returncode == 0:
        os.chown(f"{host.directory}/tickets", uid, uid)
    return done


def realm(lab, services=("host", "HTTP", "ldap", "postgres")):
    """A KDC and services on B, whose keytab every server's user there can read; alice has her ticket on A."""
    lab.b.kdc(services=[(lab.b, f"{service}/{SERVER}") for service in services])
    os.chmod(f"{lab.b.directory}/keytab", 0o644)
    got = ticket(lab.a, "alice", USERS["alice"])
    lab.need("alice gets a ticket", got.returncode == 0, got.stdout + got.stderr + lab.b.log("krb5kdc.log")[-800:])


def no_ticket(host):
    os.unlink(f"{host.directory}/tickets")
