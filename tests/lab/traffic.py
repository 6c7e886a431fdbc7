# SPDX-License-Identifier: MIT
"""Messages both ways over one context, all the time, while something else happens."""
import threading
import time

from peer import text

GSS_S_GAP_TOKEN = 16


def good(answer):
    """Complete; a gap is no fault where tokens were made only to have the latch looked at."""
    return answer["major"] in (0, GSS_S_GAP_TOKEN)


class Traffic:
    """`patience`: seconds that one message may take from end to end; `look`: a command that has the latch looked at. What could not be sent or read
    at all is in `failures`."""

    def __init__(self, client, server, patience=10, look=("mic", text("x"))):
        self.ends, self.patience, self.look = (client, server), patience, look
        self.count, self.failures, self.sealed = 0, [], 0
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.thread.join()

    def run(self):
        while not self.ending.is_set() and not self.failures:
            for sender, receiver in (self.ends, self.ends[::-1]):
                self.message(sender, receiver)

    def message(self, sender, receiver):
        self.count += 1
        words = text(f"message {self.count}")
        wrapped = sender.cmd("wrap", 0, 1, words)
        if not good(wrapped):
            self.failures.append((self.count, "wrap", wrapped))
            return
        sender.cmd("send", wrapped["token"])
        got = self.received(sender, receiver)
        if not good(got) or got["data"] != words:
            self.failures.append((self.count, "unwrap", got))
        self.sealed += got.get("qop", 0)

    def received(self, sender, receiver):
        """Programs that only wait do not have their latch made whole; ours make a token now and then."""
        end = time.monotonic() + self.patience
        came = receiver.cmd("recv", "wait=0.3")
        while "data" not in came and time.monotonic() < end:
            for peer in (sender, receiver):
                peer.cmd(*self.look)
            came = receiver.cmd("recv", "wait=0.3")
        if "data" not in came:
            return {"major": -1, "why": came}
        got = receiver.cmd("unwrap", came["data"])
        while not good(got) and time.monotonic() < end:
            time.sleep(0.05)
            got = receiver.cmd("unwrap", came["data"])
        return got
