# SPDX-License-Identifier: MIT
"""OpenLDAP: slapd with Cyrus SASL, and the ldap tools."""
import base64
import os
import subprocess

from servers.daemon import SERVER, USERS, Facts, folder, must, running, serve, service, write

PROGRAM = "ldapsearch and ldapwhoami, slapd"
PACKAGES = ("slapd", "ldap-utils", "libsasl2-2", "libsasl2-modules-gssapi-mit")
PORT = 3890
SERVICE = service("ldap", "ldap", PORT)
URL = f"ldap://{SERVER}:{PORT}"
IPSEC = "GS2-P53REVX3TK4"  # what Cyrus calls mechanism ipsec
UID = USERS["ldap"]

# Both kinds of names become the same entry: a Kerberos principal's first part, and a host with its user.
CONFIGURATION = r"""include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {directory}/data/pid
sasl-host {server}
sasl-realm EXAMPLE.ORG
authz-regexp "^uid=ipsec:fqdn:client.example.org/([a-z]+),(cn=[^,]+,)*cn=auth$" "cn=$1,dc=example,dc=org"
authz-regexp "^uid=([a-z]+),(cn=[^,]+,)*cn=auth$" "cn=$1,dc=example,dc=org"
access to * by users read by * none
loglevel stats
database mdb
directory {directory}/data
suffix dc=example,dc=org
maxsize 268435456
dbnosync
"""
ENTRIES = """dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: cn=alice,dc=example,dc=org
objectClass: inetOrgPerson
cn: alice
sn: Liddell
"""


def start(host, env=None, entries=""):
    """`entries`: more of them, as LDIF."""
    directory = folder(host, "slapd", "ldap")
    configuration = f"{directory}/slapd.conf"
    write(configuration, CONFIGURATION.format(directory=directory, server=SERVER))
    write(f"{directory}/data/entries", ENTRIES + entries)
    must(host.run(["/usr/sbin/slapadd", "-q", "-f", configuration, "-l", f"{directory}/data/entries"], uid=UID))
    return serve(host, ["/usr/sbin/slapd", "-f", configuration, "-h", f"ldap://10.1.0.2:{PORT}", "-d", "256"], PORT, "slapd.log", env=env, uid=UID)


def tool(host, program, *words, env=None, user="alice", timeout=30):
    """One of the ldap tools; -N: the server's name as it was given."""
    argv = [f"/usr/bin/{program}", "-N", "-H", URL, *words]
    return host.run(argv, env={"LDAPNOINIT": "1", **(env or {})}, uid=USERS[user], timeout=timeout)


def photos(octets):
    """Entries with that many octets of pictures in all, as LDIF; and their lines, sorted, as ldapsearch prints them unwrapped."""
    each = 500_000
    lines = ["jpegPhoto:: " + base64.b64encode(os.urandom(each)).decode() for _ in range(octets // each)]
    entry = "\ndn: cn=photo{0},dc=example,dc=org\nobjectClass: inetOrgPerson\ncn: photo{0}\nsn: photo\n{1}\n"
    return "".join(entry.format(number, line) for number, line in enumerate(lines)), sorted(lines)


PHOTOS = ("-Q", "-Y", "GSSAPI", "-LLL", "-o", "ldif_wrap=no", "-b", "dc=example,dc=org", "(sn=photo)", "jpegPhoto")


def fetch_photos(host, env=None, more=("-O", "minssf=56")):
    """Their lines, sorted."""
    done = must(tool(host, "ldapsearch", *more, *PHOTOS, env=env, timeout=120))
    return sorted(line for line in done.stdout.splitlines() if line.startswith("jpegPhoto"))


def drop_photos(host, env=None, more=("-O", "minssf=56")):
    """They come, and nobody looks at them."""
    argv = [f"/usr/bin/ldapsearch", "-N", "-H", URL, *more, *PHOTOS]
    process = host.popen(argv, env={"LDAPNOINIT": "1", **(env or {})}, uid=USERS["alice"], stdout=subprocess.DEVNULL)
    process.wait(timeout=120)
    host.processes.remove(process)
    if process.returncode != 0:
        raise RuntimeError(f"ldapsearch: {process.returncode}")


def ssf(done):
    """What the client says of its security layer: `SASL SSF: 256`."""
    return next((f"ssf {line.split()[-1]}" for line in done.stderr.splitlines() if line.startswith("SASL SSF:")), "")


def ask(lab, env=None, mechanism="GSSAPI", more=("-O", "minssf=56")):
    """ldapsearch, and whom the server takes it for."""
    done = tool(lab.a, "ldapsearch", "-Y", mechanism, *more, "-LLL", "-b", "dc=example,dc=org", "(cn=alice)", "sn", env=env)
    who = tool(lab.a, "ldapwhoami", "-Q", "-Y", mechanism, *more, env=env)
    good = done.returncode == 0 and "sn: Liddell" in done.stdout and who.returncode == 0
    return Facts(good, who.stdout.strip(), ssf(done), done.stdout + done.stderr + who.stderr + lab.b.log("slapd.log")[-1000:])


def run(lab, client=None, server=None, more=("-O", "minssf=56")):
    """ldapsearch -Y GSSAPI with a minimum SSF; `client` and `server` are what each end's environment has more."""
    with running(lab.b, start(lab.b, server)):
        return ask(lab, client, more=more)
