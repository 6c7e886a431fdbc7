# SPDX-License-Identifier: MIT
import api
import gss
import net

ALICE, BOB = 2001, 2002
SERVER = "fqdn:server.example.org"
LATCHED = {"peer": SERVER, "flags": api.ALL, "latch": "established"}
PEERS = {f"10.1.0.{20 + number}": f"fqdn:server{number}.example.org" for number in range(9)}
THREADS, ROUNDS = 100, 5


def many_addresses(lab):
    """B has nine more, each with SAs and a name of its own."""
    config = ""
    for number, (address, name) in enumerate(PEERS.items(), 20):
        ends = {"A": net.V4["A"], "B": address}
        lab.b.ip(f"addr add {address}/24 dev eth0")
        for host in (lab.a, lab.b):
            net.sas(host, addresses=ends, reqid=number, spis={("A", "B"): 0x1000 + number, ("B", "A"): 0x2000 + number})
            net.policies(host, addresses=ends, reqid=number)
        config += (f'[[static]]\nlocal = "fqdn:client.example.org"\nremote = "{name}"\nlocal-address = "{net.V4["A"]}"\nremote-address = "{address}"\n'
                   f'reqid = {number}\nexclusive = true\n')
    return config


def threads(lab):
    client, server = api.ApiPeer(lab.a, ALICE), api.ApiPeer(lab.b)
    server.value("listen", "0.0.0.0", 7000)
    found = client.value("threads", list(PEERS), 7000, THREADS, ROUNDS)
    own = [[[name, "established"]] for name in PEERS.values()]
    wrong = [(number, names) for number, names in enumerate(found) if names != own[number % len(own)]]
    lab.expect(f"{THREADS} threads, {ROUNDS} questions each: everyone sees its own peer, and no other", len(found) == THREADS and not wrong, wrong[:5])


def in_the_family(lab, client):
    client.value("subscribe")
    lab.expect("a copy of the descriptor is as good", client.value("by_copy") == LATCHED)
    said = client.value("by_child")
    lab.expect("a child finds the same, and reads the latch that it inherits", said["inherited"] == "established" and LATCHED.items() <= said.items(), said)
    lab.expect("the subscription is its parent's; it may have one of its own", said["events"] == "Resource temporarily unavailable" and said["anew"] == [], said)
    lab.expect("so does a program that is executed with it", client.value("by_program") == LATCHED)
    lab.expect("nothing of this took the latch", client.value("latched") == "established")


def by_python(lab, client):
    said = client.value("copies")
    lab.expect("copies of tokens are tokens of their own", said["tokens"] == [SERVER, SERVER, 128, 128], said)
    lab.expect("of other handles there are none", said["pickled"] == "TypeError" and said["Latch"] == said["Subscription"] == ["TypeError"] * 3, said)
    said = client.value("misuse")
    wrong = {what: found for what, found in said.items() if found != ("ValueError" if "number" in what or "negative" in what or "event" in what else "TypeError")}
    lab.expect("what is no token, number or event is never taken for one, nor for nothing", len(said) == 9 and not wrong, said)
    lab.expect("a failure is handed on whole", client.value("error_of_another_process"))


def sent(lab, client, server):
    heir, other = api.ApiPeer(lab.a, ALICE), api.ApiPeer(lab.a, BOB)
    other.value("meet", "bob")
    client.value("give", "bob")
    lab.expect("another user's process holds the socket, and may ask", other.value("take") == LATCHED)
    other.value("find")
    api.refused(lab, "but not take the latch away", other.cmd("release", "found"), "Operation not permitted", "another user")
    other.value("close")
    lab.expect("the latch is as it was", client.value("latched") == "established")
    heir.value("meet", "alice")
    client.value("give", "alice", keep=False)
    lab.expect("another process of hers has all of it", heir.value("take") == LATCHED)
    lab.expect("who gave it away sees it closed", client.value("latched") == "closed")
    heir.value("send", "in other hands")
    lab.expect("data goes on", server.value("recv") == "in other hands")
    heir.value("find")
    heir.value("release", "found")
    lab.expect("and the heir may release it", heir.value("query")["latch"] == "none")


def run(lab):
    gss.brokers(lab, a=many_addresses(lab))
    client, server = api.peers(lab, port=7001, client=ALICE)
    lab.need("latched", client.value("latch", peer=SERVER) == "established")
    in_the_family(lab, client)
    by_python(lab, client)
    sent(lab, client, server)
    threads(lab)
