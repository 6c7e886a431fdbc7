# SPDX-License-Identifier: MIT
import signal
import socket
import struct
import subprocess

import api
import gss
import net
from watch import Watch

MALLORY = 2003
NETLINK_XFRM, XFRM_MSG_EXPIRE, NLM_F_REQUEST = 6, 0x18, 1
BATCH, BATCHES = 600, 4  # a reader keeps up with a batch


def batch(host, lines):
    done = subprocess.run(["ip", "-n", host.name, "-batch", "-"], input="\n".join(lines) + "\n", capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)


def expiring(host, first, count):
    """SAs whose soft lifetime is over at once: one event each."""
    batch(host, [f"xfrm state add src 10.1.0.1 dst 10.1.0.2 proto esp spi {first + i:#x} reqid 9 mode transport aead rfc4106(gcm(aes)) "
                 f"{net.KEYS['A', 'B']} 128 limit time-soft 1 limit time-hard 600" for i in range(count)])


def slow_reader(lab):
    slow, quick = Watch(lab.a, "--all"), Watch(lab.a, "--all")
    lab.need("both are subscribed", slow.began and quick.began)
    slow.process.send_signal(signal.SIGSTOP)
    for number in range(BATCHES):
        expiring(lab.a, 0x10000 + number * BATCH, BATCH)
        lab.wait(lambda: len(quick.lines("expiring")) >= (number + 1) * BATCH, 10, step=0.2)
    many = BATCHES * BATCH
    lab.expect("who reads gets each event", len(quick.lines("expiring")) == many, len(quick.lines("expiring")))
    lab.expect("and loses nothing", not quick.lines("lost"), quick.lines("lost"))
    slow.process.send_signal(signal.SIGCONT)
    lab.wait(lambda: counted(slow) >= many, 10, step=0.2)
    missing = [line["missing"] for line in slow.lines("lost")]
    lab.expect("who did not read is told how many are missing", missing and missing[0] > 0 and counted(slow) == many, (missing, len(slow.lines("expiring"))))
    lab.expect("and why", slow.lines("lost") and slow.lines("lost")[0]["why"]["code"] == "GSS_IPSEC_E_LIMIT", slow.lines("lost"))
    expiring(lab.a, 0x20000, 1)
    lab.expect("later events reach him again", lab.wait(lambda: counted(slow) > many, 5), slow.lines()[-3:])
    return quick


def soft_ends(host, count):
    """The kernel says so often that the soft lifetime of A's SA to B is over, which IKE daemons may ask it to."""
    expire = struct.pack("!56x4s12xIB135x", socket.inet_aton(net.V4["B"]), net.SPI["A", "B"], socket.IPPROTO_ESP) + struct.pack("=H18x", socket.AF_INET)
    message = struct.pack("=IHHII", 16 + len(expire), XFRM_MSG_EXPIRE, NLM_F_REQUEST, 0, 0) + expire
    with host.inside(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_XFRM)) as netlink:
        for _ in range(count):
            netlink.send(message)


def slow_program(lab, client, quick):
    """One that asked the sockets-layer API, and does not read."""
    client.value("subscribe", "soft-expire")
    already, many = len(quick.lines("expiring")), BATCHES * BATCH
    for number in range(BATCHES):
        soft_ends(lab.a, BATCH)
        lab.wait(lambda: len(quick.lines("expiring")) >= already + (number + 1) * BATCH, 10, step=0.2)
    heard = client.value("poll")
    lab.wait(lambda: told(heard) >= many or heard.extend(client.value("poll", 1)), 5)
    lost = [event["missing"] for event in heard if event["event"] == "lost"]
    lab.expect("a program that reads late is told how many events are missing", lost and lost[0] > 0 and told(heard) == many, (lost, len(heard)))
    event, heard = api.polled(lab, client, api.is_event("soft-expire"), lambda: soft_ends(lab.a, 1))
    lab.expect("and is woken by those that come later", event, heard)


def told(heard):
    return sum(event["missing"] if event["event"] == "lost" else 1 for event in heard)


def counted(watch):
    return len(watch.lines("expiring")) + sum(line["missing"] for line in watch.lines("lost"))


def hostile(lab, client):
    """Subscriptions without end, never read; sockets of others; another user's rights."""
    program = (lab.directory / "attack.py").read_text()

    def tried(attempt, uid):
        done = lab.a.run(["/usr/bin/python3", "-c", program, lab.a.socket, attempt, str(client.process.pid)], uid=uid)
        return done.stdout.strip() or done.stderr
    unread = lab.b.peer()
    lab.need("somebody listens", "errno" not in unread.cmd("listen", "10.1.0.2", 7100))
    for what, attempt, uid, answer in (("a user has so many subscriptions and no more", "flood", MALLORY, "LIMIT after 1024"),
                                       ("a socket that he does not hold is not his to watch", "another_process", MALLORY, "Operation not permitted"),
                                       ("nor is the namespace", "everything", MALLORY, "NOT_ALLOWED"),
                                       ("who changes his user after connecting is not served", "changed", None, "CREDENTIALS_CHANGED")):
        said = tried(attempt, uid)
        lab.expect(what, said == answer, said)


def run(lab):
    gss.brokers(lab, a="[limits]\nevents-queued = 1000\n")
    client, server = gss.peers(lab)
    mine = Watch.peer(lab.a, client)
    lab.need("the holder of a socket is subscribed", mine.began)
    hostile(lab, client)
    quick = slow_reader(lab)
    lab.expect("other's SAs are no news to a socket", set(mine.kinds()) <= {"subscribed", "lost"}, mine.kinds())
    slow_program(lab, api.peers(lab, port=7001)[0], quick)
    lab.a.stop_broker()
    status = quick.process.wait(timeout=10)
    lab.expect("the end of the broker is told by the exit code", status == 3, status)
