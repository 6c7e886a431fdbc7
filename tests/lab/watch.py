# SPDX-License-Identifier: MIT
"""`ipsec-gss watch --json` running on a host: what the broker told a subscriber through the client library."""
import json
import signal


class Watch:
    count = 0

    def __init__(self, host, *which, uid=None):
        Watch.count += 1
        self.host, self.name = host, f"watch.{Watch.count}"
        self.process = host.popen(host.wrapped(["/run/bin/ipsec-gss", "watch", "--json", *which]), uid=uid, log=self.name)
        self.began = host.lab.wait(lambda: self.lines("subscribed"), 5)

    @classmethod
    def peer(cls, host, peer, uid=None):
        """The sockets of a gss_peer process."""
        return cls(host, "--pid", str(peer.process.pid), uid=uid)

    def lines(self, event=None):
        """What it printed so far, of this kind of event or all."""
        whole = self.host.log(self.name)
        said = [json.loads(line) for line in whole[:whole.rfind("\n") + 1].splitlines() if line.startswith("{")]
        return [line for line in said if event in (None, line.get("event"))]

    def hears(self, event, seconds=5, **facts):
        """The first such event with these facts, waited for; None when there is none."""
        def found():
            return next((line for line in self.lines(event) if all(line.get(key) == value for key, value in facts.items())), None)
        return self.host.lab.wait(found, seconds)

    def kinds(self):
        return [line["event"] for line in self.lines() if "event" in line]

    def end(self, number=signal.SIGINT):
        """Its exit code after this signal."""
        self.process.send_signal(number)
        status = self.process.wait(timeout=10)
        self.host.processes.remove(self.process)
        return status
