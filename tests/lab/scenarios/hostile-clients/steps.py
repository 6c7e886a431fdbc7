# SPDX-License-Identifier: MIT
import gss
import net
import status
from peer import Exchange

MALLORY = 2003

ATTACK = """
import array, os, resource, socket, struct, sys, time
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
path = sys.argv[1]
def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(0.5)
    s.connect(path)
    return s
def frame(verb, body=b"", request=1): return struct.pack(">IHHII", 0x49504753, 1, verb, request, 0) + body
HELLO = frame(1, struct.pack(">HHH", 1, 1, 4) + b"/bad")
def attempt(call):
    try: return call()
    except OSError as fault: return fault
held, opened, refused = [], 0, 0
for number in range(10000):
    s = attempt(connect)
    if isinstance(s, OSError):
        refused += 1
        continue
    opened += 1
    held.append(s)
    if len(held) > 400: held.pop(0).close()
print("connections tried 10000, opened", opened, "refused", refused, flush=True)
for s in held: s.close()
time.sleep(1)
bad = [b"", b"x", HELLO[:7], HELLO[:-1], HELLO + b"more", frame(99), frame(4, b"y" * 60000), frame(2, b"\\x07"), b"z" * 70000, struct.pack(">IHHII", 0x49504753, 77, 1, 1, 0)]
for message in bad:
    s = attempt(connect)
    if isinstance(s, OSError): continue
    attempt(lambda: s.send(message)); attempt(lambda: s.recv(70000)); s.close()
    s = connect()
    attempt(lambda: s.send(HELLO)); attempt(lambda: s.recv(70000))
    attempt(lambda: s.send(message)); attempt(lambda: s.recv(70000)); s.close()
pipe, tcp = os.pipe(), socket.socket()
tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 30))
files = [pipe[0], socket.socketpair()[0].fileno(), tcp.fileno(), os.open("/dev/null", os.O_RDONLY), os.open("/", os.O_PATH)]
for fds in [[f] for f in files] + [files, [pipe[1]] * 200]:
    s = connect()
    attempt(lambda: s.send(HELLO)); attempt(lambda: s.recv(70000))
    attempt(lambda: s.sendmsg([frame(2, b"\\x01", 2)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))]))
    attempt(lambda: s.recv(70000)); s.close()
slow = [connect() for _ in range(50)]
for s in slow:
    s.setblocking(False)
    attempt(lambda: s.send(HELLO))
    for number in range(500): attempt(lambda: s.send(frame(9, b"\\x01\\x00\\x00", number)))
print("slow readers stay", flush=True)
time.sleep(600)
"""


def run(lab):
    gss.brokers(lab)
    client, server = gss.peers(lab)
    gss.context(lab, client, server)
    attacker = lab.a.popen(["/usr/bin/python3", "-c", ATTACK, lab.a.socket], uid=MALLORY, log="attack.log")
    lab.wait(lambda: "connections tried" in lab.a.log("attack.log"), 60)
    lab.expect("while it lasts others are served", status.of_peer(lab.a, client).get("latch") == "established", lab.a.log("attack.log"))
    lab.need("the attack runs to its end", lab.wait(lambda: "slow readers stay" in lab.a.log("attack.log"), 60), lab.a.log("attack.log"))
    lab.expect("the broker lives", lab.a.daemon.poll() is None, lab.a.log("gssd.log"))
    gss.deliver(lab, "the context that was there", client, server, "still works")
    client, server = gss.peers(lab, port=7001)
    lab.expect("and new ones are made", Exchange(client, server).run())
    descriptors = len(__import__("os").listdir(f"/proc/{lab.a.daemon.pid}/fd"))
    lab.expect("no descriptor is left behind", descriptors < 300, descriptors)
    attacker.kill()
