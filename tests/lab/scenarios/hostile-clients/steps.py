# SPDX-License-Identifier: MIT
import os
import resource
import signal
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


def served(lab, attacker, log, part, ends):
    """Until this part is done, root and another user ask all the time. An answer that the library does not have within its two seconds
    is none; a clock around the whole program would tell of the machine's load."""
    bad, asked, limit = [], 0, time.monotonic() + 60 * lab.job["slow"]
    while True:
        done = f"done: {part}\n" in lab.a.log(log)
        for uid, peer in ends:
            said = status.of_peer(lab.a, peer, uid=uid)
            asked += 1
            if said.get("latch") != "established":
                bad.append(said)
        if done or attacker.poll() is not None or time.monotonic() > limit:
            break
    lab.need(f"{part}: done to its end", done, lab.a.log(log))
    lab.expect(f"{part}: all {asked} questions of others are answered in time", not bad, bad[:2])


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
    attackers = []
    for uid, log, parts in ATTACKERS:
        attackers.append(attack(lab, uid, log, parts))
        for part in parts:
            served(lab, attackers[-1], log, part, ((None, client), (ALICE, alice)))
    lab.expect("workers hang in the kernel and cannot be killed", lab.wait(lambda: stuck(lab.a.daemon.pid), 3), "")
    lab.expect("they are replaced", lab.wait(lambda: lab.a.metric("stuck_total") >= 2, 8), lab.a.metric("stuck_total"))
    lab.expect("the attackers are still at it", [a.poll() for a in attackers] == [None] * len(attackers), lab.a.log("first.log"))
    lab.expect(f"{CROWD} clients are connected", lab.wait(lambda: lab.a.metric("clients") >= CROWD, 5), lab.a.metric("clients"))
    lab.expect("the broker lives", lab.a.daemon.poll() is None, lab.a.log("gssd.log"))
    gss.deliver(lab, "the context that was there", client, server, "still works")
    gss.deliver(lab, "hers, whatever others released", alice, her_server, "still works")
    lab.expect("and new ones are made", Exchange(*gss.peers(lab, port=7002)).run())
    lab.expect("of other users too", Exchange(*gss.peers(lab, port=7003, client=ALICE)).run())
    descriptors = len(os.listdir(f"/proc/{lab.a.daemon.pid}/fd"))
    lab.expect("no descriptor is left behind", descriptors < CROWD + 300, descriptors)
    end(attackers)
    clients = lambda: lab.a.metric("clients") or CROWD  # five thousand ends at once take this one processor some seconds
    lab.expect("whoever ends is forgotten", lab.wait(lambda: clients() < 100, 20), clients())
