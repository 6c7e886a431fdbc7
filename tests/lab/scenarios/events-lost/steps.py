# SPDX-License-Identifier: MIT
import signal
import subprocess

import gss
import net
from watch import Watch

MALLORY = 2003
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
    lab.a.stop_broker()
    status = quick.process.wait(timeout=10)
    lab.expect("the end of the broker is told by the exit code", status == 3, status)
