# SPDX-License-Identifier: MIT
import socket

import api
import gss
import ike

ALICE, BOB, MALLORY = 2001, 2002, 2003
HERE, THERE, CLIENT, SERVER = "10.1.0.2", "10.1.0.1", "fqdn:client.example.org", "fqdn:server.example.org"
AI_ED, REUSE_ANY = 0x10000, 4
PRELOAD = {**api.ENVIRONMENT, "LD_PRELOAD": "/run/bin/libipsecshim-preload.so"}

# A program that never heard of all this.
STRANGER = '''
import socket
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname(), timeout=3)
accepted, address = server.accept()
accepted.sendall(b"as ever")
assert client.recv(9) == b"as ever" and address == client.getsockname() and client.getpeername() == server.getsockname()
assert client.getsockopt(socket.SOL_SOCKET, socket.SO_DOMAIN) == socket.AF_INET and socket.getaddrinfo("127.0.0.1", 80)[0][0] == socket.AF_INET
'''


def end(host, uid):
    return api.ApiPeer(host, uid, program="shim_peer.py")


def by_ends(lab):
    client, server, wire = end(lab.a, ALICE), end(lab.b, BOB), lab.a.capture()
    server.value("listen", 7100)
    lab.need("there is no SA yet", not ike.installed_spis(lab.a), ike.state(lab.a))
    port, value = client.value("make", HERE, 7100, SERVER)
    client.value("connect", value, port)
    server.value("accept")
    lab.expect("each names the other", client.value("peer") == SERVER and server.value("peer") == CLIENT)
    client.value("send", "by ends")
    lab.expect("data comes through", server.value("recv") == "by ends")
    found = [client.value("option", name) for name in ("associated", "family", "nat", "local", "peer")]
    lab.expect("it is associated, and where it goes is read out", found == [1, socket.AF_INET, 0, f"::ffff:{THERE}", f"::ffff:{HERE}"], found)
    api.refused(lab, "an option that nothing is behind", client.cmd("option", "hot_standby"), "Operation not supported", "nothing is behind")
    port, value = client.value("named", HERE, 7100, AI_ED)
    client.value("connect", value, port)
    server.value("accept")
    lab.expect("a name of the resolver is an end, too", client.value("peer") == SERVER)
    port, value = client.value("make", HERE, 7100, SERVER)
    said = client.value("connect_later", value, port)
    server.value("accept")
    client.value("send", "by one who does not wait")
    lab.expect("who does not wait is told that he is there, and is", said == "" and server.value("recv") == "by one who does not wait", said)
    port, value = client.value("make", HERE, 7100, "fqdn:other.example.org")
    said = client.value("connect_later", value, port)
    server.value("accept")
    lab.expect("and is told of another", said == "Permission denied" and server.value("recv") == "", said)
    api.refused(lab, "a peer who is another", client.cmd("connect", value, port), "Permission denied", f"found {SERVER}")
    server.value("accept")
    lab.expect("gets not an octet", server.value("recv") == "")
    lab.expect("and not a packet of all this was in clear", not wire.outside_esp(7100) and wire.esp_count() > 0)


def clear_text(lab):
    """Both hosts let this port pass in clear, and the client knows nothing of it."""
    server, wire = end(lab.b, BOB), lab.a.capture()
    for host, near, far, ports in ((lab.a, THERE, HERE, ("dport", "sport")), (lab.b, HERE, THERE, ("sport", "dport"))):
        host.ip(f"xfrm policy add src {near} dst {far} proto tcp {ports[0]} 7101 dir out priority 1 action allow")
        host.ip(f"xfrm policy add src {far} dst {near} proto tcp {ports[1]} 7101 dir in priority 1 action allow")
    server.value("listen", 7101)
    plain = lab.a.inside(lambda: socket.create_connection((HERE, 7101), 5))
    with plain:
        plain.sendall(b"let me in")
        api.refused(lab, "who comes in clear", server.cmd("accept"), "Software caused connection abort", "bypass")
        plain.settimeout(5)
        try:
            gone = plain.recv(1) == b""
        except ConnectionResetError:
            gone = True
        lab.expect("is closed", gone)
    lab.expect("he did come in clear", wire.outside_esp(7101))
    client = end(lab.a, ALICE)
    port, value = client.value("make", HERE, 7101, SERVER)
    api.refused(lab, "nor is an end connected to there", client.cmd("connect", value, port), "Permission denied", "bypass")


def capabilities(lab):
    alice, mallory, root = end(lab.a, ALICE), end(lab.a, MALLORY), end(lab.a, 0)
    port, value = alice.value("make", HERE, 7100, SERVER)
    api.refused(lab, "another user's descriptor", mallory.cmd("connect", value, port), "Cannot assign requested address", "this user")
    api.refused(lab, "tells him nothing either", mallory.cmd("tell", value), "Cannot assign requested address", "this user")
    api.refused(lab, "nor does a user make one for others", alice.cmd("make", HERE, 7100, SERVER, flags=REUSE_ANY), "Operation not permitted", "root's to make")
    port, value = root.value("make", HERE, 7100, SERVER, flags=REUSE_ANY)
    mallory.value("connect", value, port)
    lab.expect("what root made for everybody is everybody's", mallory.value("peer") == SERVER)


def plain_programs(lab):
    wire = lab.a.capture()
    lab.b.popen(["/run/bin/ends", "serve", "7102"], env=PRELOAD, uid=BOB, log="ends")
    lab.need("the server listens", lab.wait(lambda: ":1BBE " in lab.b.run(["cat", "/proc/net/tcp6"]).stdout, 5), lab.b.log("ends"))
    call = lambda env: lab.a.run(["/run/bin/ends", "call", HERE, "7102", "plain sockets"], env=env, uid=ALICE)  # noqa: E731
    done = call(PRELOAD)
    lab.expect("a program of plain sockets speaks with another", done.returncode == 0 and done.stdout == "enforced, encrypted\nplain sockets\n", done.stdout + done.stderr)
    lab.expect("which knows it, too", lab.wait(lambda: "enforced, encrypted" in lab.b.log("ends"), 3), lab.b.log("ends"))
    lab.expect("none of it in clear", not wire.outside_esp(7102) and wire.esp_count() > 0)
    done = lab.a.run(["python3", "-c", STRANGER], env=PRELOAD, uid=ALICE)
    lab.expect("the preload leaves other sockets alone", done.returncode == 0, done.stderr)
    done = call(api.ENVIRONMENT)
    lab.expect("without it the flag means nothing", done.returncode == 1 and "Bad value for ai_flags" in done.stderr, done.stdout + done.stderr)
    return call


def without_broker(lab, call):
    client = end(lab.a, ALICE)
    lab.a.stop_broker()
    api.refused(lab, "without a broker", client.cmd("socket"), "Address family not supported by protocol", "ipsec-gssd")
    done = call(PRELOAD)
    lab.expect("nor have plain programs the family", done.returncode == 1 and "ai_family not supported" in done.stderr, done.stdout + done.stderr)


def run(lab):
    gss.brokers(lab)
    by_ends(lab)
    clear_text(lab)
    capabilities(lab)
    without_broker(lab, plain_programs(lab))
