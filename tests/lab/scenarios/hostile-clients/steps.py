# SPDX-License-Identifier: MIT
import os
import resource
import signal
import statistics
import time

import gss
import status
from peer import Exchange

ALICE = 2001
ATTACKERS = (  # user, log, what he does
    (2003, "first.log", ("flood", "broken_messages", "odd_descriptors", "many_descriptors", "foreign_namespace", "release_all", "slow_readers", "lingering")),
    (2002, "second.log", ("locked",)),
    (None, "third.log", ("changed_credentials",)),
    (None, "fourth.log", ("crowd",)))
CROWD = 5000
TIMES = 6  # as long as before the attack: what one processor that is shared costs, and far from waiting for somebody who hangs


def prepare(lab):
    unread = lab.b.peer()
    lab.need("somebody listens and never reads", "errno" not in unread.cmd("listen", "10.1.0.2", 7100))
    lab.a.write("/proc/sys/vm/unprivileged_userfaultfd", "1")  # in place of a FUSE mapping, which any user can have


def attack(lab, uid, log, parts):
    program = (lab.directory / "attack.py").read_text()
    return lab.a.popen(["/usr/bin/python3", "-c", program, lab.a.socket, *parts], uid=uid, log=log, start_new_session=True)


def stuck(pid):
    """Threads in uninterruptible sleep."""
    return [task for task in os.listdir(f"/proc/{pid}/task") if open(f"/proc/{pid}/task/{task}/stat").read().rsplit(")", 1)[1].split()[0] == "D"]


class Others:
    """Root and another user, who have contexts and ask about them. A question that takes longer than the library's own deadline
    of two seconds is not answered."""

    def __init__(self, lab, ends):
        self.lab, self.ends, self.bad, self.times = lab, ends, [], []

    def ask(self):
        for uid, peer in self.ends:
            begun = time.monotonic()
            said = status.of_peer(self.lab.a, peer, uid=uid)
            self.times.append(time.monotonic() - begun)
            if said.get("latch") != "established":
                self.bad.append(said)

    def take(self):
        times, self.times, self.bad, bad = self.times, [], [], self.bad
        return times, bad

    def served(self, attacker, log, part):
        """Until this part is done they ask all the time."""
        limit, done = time.monotonic() + 60 * self.lab.job["slow"], False
        while not done and attacker.poll() is None and time.monotonic() < limit:
            done = f"done: {part}\n" in self.lab.a.log(log)
            self.ask()
        times, bad = self.take()
        self.lab.need(f"{part}: done to its end", done, self.lab.a.log(log))
        self.lab.expect(f"{part}: all {len(times)} questions of others are answered", not bad, bad[:2])
        return times


def end(attackers):
    for attacker in attackers:
        os.killpg(attacker.pid, signal.SIGKILL)
        attacker.wait(timeout=20)


def run(lab):
    resource.setrlimit(resource.RLIMIT_NOFILE, (20000, 20000))  # as the unit has it
    gss.brokers(lab)
    client, server = gss.peers(lab)
    gss.context(lab, client, server)
    alice, her_server = gss.peers(lab, port=7001, client=ALICE)
    gss.context(lab, alice, her_server)
    prepare(lab)
    others = Others(lab, ((None, client), (ALICE, alice)))
    for _ in range(5):
        others.ask()
    idle, _ = others.take()
    attackers, beside = [], []
    for uid, log, parts in ATTACKERS:
        attackers.append(attack(lab, uid, log, parts))
        for part in parts:
            beside += others.served(attackers[-1], log, part)
    slower = statistics.median(beside) / statistics.median(idle)
    lab.expect(f"in time: at most {TIMES} times what it takes when nobody attacks", slower <= TIMES, f"{slower:.1f}: {max(beside):.2f} s at most")
    lab.expect("workers hang in the kernel and cannot be killed", lab.wait(lambda: stuck(lab.a.daemon.pid), 3), "")
    lab.expect("they are replaced", lab.wait(lambda: status.figures(lab.a)["stuck_total"] >= 2, 8), status.figures(lab.a))
    lab.expect("the attackers are still at it", [a.poll() for a in attackers] == [None] * len(attackers), lab.a.log("first.log"))
    lab.expect(f"{CROWD} clients are connected", lab.wait(lambda: status.figures(lab.a)["clients"] >= CROWD, 5), status.figures(lab.a)["clients"])
    lab.expect("the broker lives", lab.a.daemon.poll() is None, lab.a.log("gssd.log"))
    gss.deliver(lab, "the context that was there", client, server, "still works")
    gss.deliver(lab, "hers, whatever others released", alice, her_server, "still works")
    lab.expect("and new ones are made", Exchange(*gss.peers(lab, port=7002)).run())
    lab.expect("of other users too", Exchange(*gss.peers(lab, port=7003, client=ALICE)).run())
    descriptors = len(os.listdir(f"/proc/{lab.a.daemon.pid}/fd"))
    lab.expect("no descriptor is left behind", descriptors < CROWD + 300, descriptors)
    end(attackers)
