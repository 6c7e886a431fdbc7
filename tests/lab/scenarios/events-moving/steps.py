# SPDX-License-Identifier: MIT
"""A and B each have an inner address and a tunnel between these; M between them forwards and translates A's addresses."""
import gss
import ike
import net
from watch import Watch

INNER = {"A": "10.9.0.1", "B": "10.9.0.2"}
SECOND = "10.1.0.77"  # A's other outer address


def configure(host):
    own, peer = INNER[host.name], INNER[net.PEER[host.name]]
    there = net.ROUTED["B"] if host.name == "A" else "%any"
    gateway = "10.1.0.254" if host.name == "A" else "10.2.0.254"
    host.ip(f"addr add {own}/32 dev lo", f"route add {peer}/32 via {gateway} src {own}")
    host.write("/proc/sys/net/ipv4/conf/all/promote_secondaries", "1")
    ike.configure(host, f"""c {{
 version = 2
 mobike = yes
 encap = yes
 remote_addrs = {there}
 proposals = aes256gcm16-prfsha256-curve25519
 local {{
  auth = pubkey
  id = {ike.IDS[host.name]}
  certs = {ike.IDS[host.name]}.crt
 }}
 remote {{
  auth = pubkey
  id = {ike.IDS[net.PEER[host.name]]}
  cacerts = ca.crt
 }}
 children {{
  t {{
   mode = tunnel
   local_ts = {own}/32
   remote_ts = {peer}/32
   esp_proposals = aes256gcm16-curve25519
  }}
 }}
}}
""")
    with open(f"{host.directory}/strongswan.conf", "a") as file:
        file.write("charon-systemd {\n install_routes = no\n}\n")


def translate(lab, ports):
    """M gives A's packets its own address and a port of these; what it knew of former ones is forgotten."""
    middle = lab.host("M")
    for words in ("-F POSTROUTING", f"-A POSTROUTING -p udp -s 10.1.0.0/24 -d 10.2.0.2 -j SNAT --to-source 10.2.0.254:{ports}"):
        done = middle.run(["iptables-legacy", "-w", "-t", "nat", *words.split()])
        lab.need(f"iptables {words}", done.returncode == 0, done.stderr)


def run(lab):
    translate(lab, "20000-20010")
    for name in ("nf_conntrack_udp_timeout", "nf_conntrack_udp_timeout_stream"):
        lab.host("M").write(f"/proc/sys/net/netfilter/{name}", "1")
    for host in (lab.a, lab.b):
        configure(host)
        ike.start(host)
    done = ike.initiate(lab.a)
    lab.need("the tunnel is up", done.returncode == 0, done.stdout + done.stderr)
    gss.brokers(lab)
    client, server = gss.peers(lab, address=INNER["B"])
    here, there = Watch.peer(lab.a, client), Watch.peer(lab.b, server)
    lab.need("both are subscribed", here.began and there.began, lab.a.log(here.name) + lab.b.log(there.name))
    lab.expect("through NAT the connection is protected", here.began[0]["protected"] and there.began[0]["protected"], (here.began, there.began))

    def talk():
        client.cmd("send", gss.text("a word"))
        return server.cmd("recv", "wait=1")
    translate(lab, "30000-30010")
    lab.wait(lambda: talk() and there.lines("nat-mapping"), 8, step=1.2)
    lab.expect("B hears that A's packets come from another port", there.hears("nat-mapping"), there.lines())
    lab.a.ip(f"addr add {SECOND}/24 dev eth0", f"addr del {net.ROUTED['A']}/24 dev eth0")
    lab.a.ip("route replace default via 10.1.0.254", f"route replace {INNER['B']}/32 via 10.1.0.254 src {INNER['A']}")
    moved = here.hears("migrated", seconds=10)
    lab.expect("A hears that its SAs moved", moved and moved["descriptor"] >= 0, here.lines())
    lab.expect("and the connection lives on", talk().get("data") == gss.text("a word"))
    lab.expect("no rekey is told for it", "rekeyed" not in here.kinds() + there.kinds(), here.kinds() + there.kinds())
