# SPDX-License-Identifier: MIT
import carried
import ike


def run(lab):
    carried.run(lab)
    lab.expect("the peer is who the key says", "server.example.org" in ike.swanctl(lab.a, "--list-sas").stdout)
    ike.configure(lab.a, ike.connection(lab.a, "psk"), psk="another key than that of the other host")
    ike.load(lab.a)
    ike.swanctl(lab.a, "--terminate", "--ike", "c")
    done = ike.initiate(lab.a)
    lab.expect("another key is refused", done.returncode != 0 and "AUTH" in done.stdout + done.stderr, done.stdout + done.stderr)
