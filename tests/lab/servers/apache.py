# SPDX-License-Identifier: MIT
"""Apache with mod_auth_gssapi, and curl --negotiate."""
from servers.daemon import SERVER, USERS, Facts, folder, running, serve, service, write

PROGRAM = "curl --negotiate, Apache with mod_auth_gssapi"
PACKAGES = ("apache2-bin", "libapache2-mod-auth-gssapi", "curl", "libcurl4")
PORT = 8080
SERVICE = service("HTTP", "www", PORT)
URL = f"http://{SERVER}:{PORT}/index.html"
UID = USERS["www"]
MODULES = ("mpm_event", "authn_core", "authz_core", "authz_user", "auth_gssapi", "headers")

CONFIGURATION = """ServerRoot /usr/lib/apache2
{modules}
ServerName {server}
Listen 10.1.0.2:{port}
DefaultRuntimeDir {directory}/data
PidFile {directory}/data/pid
ErrorLog {directory}/error.log
LogLevel info auth_gssapi:debug
StartServers 1
ThreadsPerChild 4
MaxRequestWorkers 4
DocumentRoot {directory}/pages
<Location />
  AuthType GSSAPI
  AuthName lab
  GssapiConnectionBound {bound}
  GssapiLocalName {local}
  Require valid-user
  Header set X-Remote-User "expr=%{{REMOTE_USER}}"
</Location>
"""


def start(host, env=None, octets=b"the page\n", bound="On", local="Off"):
    """`octets`: what /index.html is; `bound`: whether a context may take several requests of one connection; `local`: whether names are made local."""
    directory = folder(host, "apache", "www")
    modules = "\n".join(f"LoadModule {name}_module modules/mod_{name}.so" for name in MODULES)
    write(f"{directory}/httpd.conf", CONFIGURATION.format(modules=modules, server=SERVER, port=PORT, directory=directory, bound=bound, local=local))
    host.run(["mkdir", f"{directory}/pages"], uid=UID)
    with open(f"{directory}/pages/index.html", "wb") as page:
        page.write(octets)
    return serve(host, ["/usr/sbin/apache2", "-f", f"{directory}/httpd.conf", "-D", "FOREGROUND"], PORT, "apache.log", env=env, uid=UID)


def ask(lab, env=None):
    """The page, and whom the server takes curl for."""
    done = lab.a.run(["/usr/bin/curl", "-sS", "-v", "--max-time", "20", "--negotiate", "-u", ":", "-D", "-", URL], env=env, uid=USERS["alice"])
    headers = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    good = done.returncode == 0 and done.stdout.endswith("the page\n")
    return Facts(good, headers.get("X-Remote-User", ""), "", done.stdout + done.stderr[-1200:] + lab.b.log("apache/error.log")[-1200:])


def run(lab, client=None, server=None):
    """curl --negotiate; `client` and `server` are what each end's environment has more."""
    with running(lab.b, start(lab.b, server)):
        return ask(lab, client)
