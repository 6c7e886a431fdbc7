# SPDX-License-Identifier: MIT
"""gss_observed.py initiate|accept PORT: what a program can observe of Kerberos by GSS-API, one end, as a line of JSON. Both ends go through the same
cases, each on a connection of its own. What differs from run to run (times in full, minor numbers, random octets) is left out."""
import json
import os
import re
import socket
import sys

import gssapi.raw as gss

ROLE, PORT = sys.argv[1], int(sys.argv[2])
KRB5 = gss.OID.from_int_seq("1.2.840.113554.1.2.2")
SPNEGO = gss.OID.from_int_seq("1.3.6.1.5.5.2")
QUESTIONS = {"ssf": "1.2.840.113554.1.2.2.5.15", "session key": "1.2.840.113554.1.2.2.5.5", "unknown": "1.2.3.4.5"}
DELEG, MUTUAL, REPLAY, SEQUENCE, CONF, INTEG, ANON, DCE = 1, 2, 4, 8, 16, 32, 64, 0x1000
USUAL = MUTUAL | REPLAY | SEQUENCE | CONF | INTEG
seen = {}
initiator = ROLE == "initiate"
listener = None if initiator else socket.create_server(("10.1.0.2", PORT))
connection = None


class Closed(Exception):
    """The other end has failed."""


def close():
    """What is on its way still arrives."""
    if connection is not None:
        connection.shutdown(socket.SHUT_WR)
        try:
            while connection.recv(65536):
                pass
        except OSError:
            pass
        connection.close()


def connect():
    global connection
    close()
    connection = socket.create_connection(("10.1.0.2", PORT)) if initiator else listener.accept()[0]
    connection.settimeout(20)


def read(count):
    data = b""
    while len(data) < count:
        try:
            more = connection.recv(count - len(data))
        except ConnectionError:
            more = b""
        if not more:
            raise Closed()
        data += more
    return data


def send(data):
    data = data or b""
    connection.sendall(len(data).to_bytes(4, "big") + data)


def receive():
    return read(int.from_bytes(read(4), "big"))


def failure(error):
    text = re.sub(r"Minor \(\d+\)", "Minor", str(error))
    return f"{type(error).__name__} {getattr(error, 'maj_code', '')} {text}"


def note(name, function, *arguments, **named):
    """What it gives, or how it fails."""
    try:
        value = function(*arguments, **named)
        seen[name] = plain(value)
        return value
    except Exception as error:  # noqa: B902: any failure is what is looked for
        seen[name] = failure(error)
        return None


def plain(value):
    if isinstance(value, (gss.OID,)):
        return value.dotted_form
    if isinstance(value, gss.Name):
        return gss.display_name(value, True).name.decode()
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, map(plain, value)))
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, bytes):
        return f"{len(value)} octets"
    return value if isinstance(value, (int, str, bool, type(None))) else type(value).__name__


def roughly(lifetime):
    return None if lifetime is None else round(lifetime / 600)


def import_service(text):
    return gss.import_name(text.encode(), gss.NameType.hostbased_service)


def bindings(text):
    return gss.ChannelBindings(application_data=text) if text else None


# name: flags, mechanism, the initiator's bindings, the acceptor's, target
CASES = {
    "usual": (USUAL, None, b"", b"", "host@server.example.org"), "named": (USUAL, KRB5, b"", b"", "host@server.example.org"),
    "spnego": (USUAL, SPNEGO, b"", b"", "host@server.example.org"), "one way": (CONF | INTEG, None, b"", b"", "host@server.example.org"),
    "delegated": (USUAL | DELEG, None, b"", b"", "host@server.example.org"), "dce": (USUAL | DCE, None, b"", b"", "host@server.example.org"),
    "anonymous": (USUAL | ANON, None, b"", b"", "host@server.example.org"), "replay only": (MUTUAL | REPLAY | CONF | INTEG, None, b"", b"", "host@server.example.org"),
    "bindings": (USUAL, None, b"tls", b"tls", "host@server.example.org"), "others": (USUAL, None, b"tls", b"slt", "host@server.example.org"),
    "initiator's": (USUAL, None, b"tls", b"", "host@server.example.org"), "acceptor's": (USUAL, None, b"", b"tls", "host@server.example.org"),
    "spnego delegated": (USUAL | DELEG, SPNEGO, b"", b"", "host@server.example.org"), "spnego bindings": (USUAL, SPNEGO, b"tls", b"slt", "host@server.example.org"),
    "spnego bound": (USUAL, SPNEGO, b"tls", b"tls", "host@server.example.org"), "unknown service": (USUAL, None, b"", b"", "nothing@server.example.org"),
}


def initiate(case, flags, mech, own, _, target):
    context, token, steps = None, None, 0
    while True:
        got = gss.init_sec_context(import_service(target), context=context, mech=mech, flags=flags, channel_bindings=bindings(own), input_token=token)
        context, steps = got.context, steps + 1
        if got.token or not got.more_steps:
            send(got.token)
        if not got.more_steps:
            break
        token = receive()
    seen[f"{case}: result"] = [steps, int(got.flags), got.mech.dotted_form, roughly(got.lifetime)]
    return context, None


def accept(case, flags, mech, _, own, target):
    context, steps = None, 0
    while True:
        got = gss.accept_sec_context(receive(), context=context, channel_bindings=bindings(own))
        context, steps = got.context, steps + 1
        if got.token:  # without one the initiator is done, and reads no more of this
            send(got.token)
        if not got.more_steps:
            break
    if flags & MUTUAL and not flags & DCE:
        receive()  # the initiator is done
    seen[f"{case}: result"] = [steps, int(got.flags), got.mech.dotted_form, roughly(got.lifetime), plain(got.initiator_name), got.delegated_creds is not None]
    return context, got.delegated_creds


def establish(case, arguments):
    try:
        return (initiate if initiator else accept)(case, *arguments)
    except Exception as error:  # noqa: B902
        seen[f"{case}: result"] = failure(error)
        return None, None


def questions(case, context):
    asked = gss.inquire_context(context)
    seen[f"{case}: inquire"] = [plain(asked.initiator_name), plain(asked.target_name), roughly(asked.lifetime), asked.mech.dotted_form, int(asked.flags),
                                asked.locally_init, asked.complete]
    for name in ("alice", "bob"):
        note(f"{case}: is {name}", gss.compare_name, asked.initiator_name, gss.import_name(f"{name}@EXAMPLE.ORG".encode()))
    note(f"{case}: time", lambda: roughly(gss.context_time(context)))
    for name, oid in QUESTIONS.items():
        note(f"{case}: {name}", gss.inquire_sec_context_by_oid, context, gss.OID.from_int_seq(oid))
    note(f"{case}: ssf", lambda: [each.hex() for each in gss.inquire_sec_context_by_oid(context, gss.OID.from_int_seq(QUESTIONS["ssf"]))])
    note(f"{case}: ticket flags", gss.krb5_get_tkt_flags, context)
    note(f"{case}: authtime", lambda: gss.krb5_extract_authtime_from_sec_context(context) > 0)
    note(f"{case}: authorization data", gss.krb5_extract_authz_data_from_sec_context, context, 1)
    note(f"{case}: set option", gss.set_sec_context_option, gss.OID.from_int_seq(QUESTIONS["unknown"]), context, b"x")
    note(f"{case}: process token", gss.process_context_token, context, b"nothing")
    for conf in (False, True):
        note(f"{case}: size limit {conf}", gss.wrap_size_limit, context, 1000, conf)


def messages(case, context):
    """Each end sends, then the other; `turns` keep them in step."""
    def made(conf):
        return [gss.wrap(context, b"message %d" % n, conf).message for n in range(4)]
    for conf in (False, True):
        mine = note(f"{case}: wrapped {conf}", made, conf)
        mic = note(f"{case}: mic", gss.get_mic, context, b"signed")
        for token in (*(mine or [b""] * 4), mic):
            send(token)
        theirs, their_mic = [receive() for _ in range(4)], receive()
        changed = bytes([*theirs[0][:-1], *(octet ^ 1 for octet in theirs[0][-1:])])
        tries = {"cut": theirs[0][:-3], "changed": changed, "empty": b"", "foreign": b"\x14" * 60, "channel": b"\x11" * 60, "first": theirs[0], "again": theirs[0],
                 "third": theirs[2], "second": theirs[1], "fourth": theirs[3]}
        for name, token in tries.items():
            note(f"{case}: unwraps {name} {conf}", lambda token=token: [(got := gss.unwrap(context, token)).message.decode(), got.encrypted, got.qop])
        note(f"{case}: verifies", gss.verify_mic, context, b"signed", their_mic)
        note(f"{case}: verifies another", gss.verify_mic, context, b"signeD", their_mic)
    note(f"{case}: quality", gss.wrap, context, b"x", True, 7)
    additional(case, context)


def additional(case, context):
    """With additional data, and in pieces."""
    kinds = gss.IOVBufferType
    token = note(f"{case}: aead", lambda: gss.wrap_aead(context, b"message", b"associated", True).message)
    pieces = gss.IOV(b"message")  # header, padding and trailer come by themselves
    header, padding, trailer = ((kind, False, None) for kind in (kinds.header, kinds.padding, kinds.trailer))
    note(f"{case}: lengths", lambda: gss.wrap_iov_length(context, gss.IOV(header, b"message", padding, trailer, std_layout=False)))
    note(f"{case}: pieces", lambda: [gss.wrap_iov(context, pieces), [len(each.value or b"") for each in pieces]])
    send(token)
    send(b"".join(each.value or b"" for each in pieces))
    theirs, stream = receive(), receive()
    note(f"{case}: opens aead", lambda: gss.unwrap_aead(context, theirs, b"associated").message.decode())
    arrived = gss.IOV((kinds.stream, stream), (kinds.data, True, None), std_layout=False)
    note(f"{case}: opens pieces", lambda: [gss.unwrap_iov(context, arrived).encrypted, arrived[1].value.decode()])


def last(case, context):
    note(f"{case}: lucid", lambda: type(gss.krb5_export_lucid_sec_context(context, 1)).__name__)
    note(f"{case}: export", lambda: gss.export_sec_context(context) and True)
    note(f"{case}: after it", lambda: gss.inquire_context(context).complete)


def moved(case, arguments):
    """An exported context goes on elsewhere."""
    context, _ = establish(case, arguments)
    again = gss.import_sec_context(gss.export_sec_context(context))
    note(f"{case}: inquire imported", lambda: int(gss.inquire_context(again).flags))
    send(gss.wrap(again, b"from the imported", True).message)
    note(f"{case}: unwraps imported", lambda: gss.unwrap(again, receive()).message.decode())


def delegated_credentials(case, credentials):
    if credentials is None:
        return
    asked = gss.inquire_cred(credentials)
    seen[f"{case}: credentials"] = [plain(asked.name), roughly(asked.lifetime), asked.usage, plain(asked.mechs)]
    note(f"{case}: stored", lambda: plain(gss.store_cred_into({"ccache": "FILE:/tmp/observed.stored"}, credentials, overwrite=True, mech=KRB5).mechs))
    note(f"{case}: used", lambda: gss.init_sec_context(import_service("host@server.example.org"), creds=gss.acquire_cred_from(
        {"ccache": "FILE:/tmp/observed.stored"}, usage="initiate", mechs=[KRB5]).creds).mech.dotted_form)


def credential(name, make):
    made = note(f"credential {name}", lambda: make().creds)
    if made is not None:
        asked = gss.inquire_cred(made)
        seen[f"credential {name}: inquire"] = [plain(asked.name), roughly(asked.lifetime), asked.usage, plain(asked.mechs)]
    return made


def credentials():
    usage = ROLE
    own = credential("default", lambda: gss.acquire_cred(None, usage=usage, mechs=[KRB5]))
    everything = credential("of all", lambda: gss.acquire_cred(None, usage=usage))
    if everything is not None:
        note("credential of all: negotiates", gss.set_neg_mechs, everything, [KRB5])
    credential("both", lambda: gss.acquire_cred(None, usage="both", mechs=[KRB5]))
    credential("of a name", lambda: gss.acquire_cred(gss.import_name(b"alice@EXAMPLE.ORG"), usage=usage, mechs=[KRB5]))
    credential("of nobody", lambda: gss.acquire_cred(gss.import_name(b"nobody@EXAMPLE.ORG"), usage=usage, mechs=[KRB5]))
    credential("of a service", lambda: gss.acquire_cred(import_service("host@server.example.org"), usage=usage, mechs=[KRB5]))
    credential("no cache", lambda: gss.acquire_cred_from({"ccache": "FILE:/nonexistent"}, usage="initiate", mechs=[KRB5]))
    credential("no keytab", lambda: gss.acquire_cred_from({"keytab": "FILE:/nonexistent"}, usage="accept", mechs=[KRB5]))
    credential("unknown store", lambda: gss.acquire_cred_from({"nothing": "x"}, usage=usage, mechs=[KRB5]))
    credential("password", lambda: gss.acquire_cred_with_password(gss.import_name(b"alice@EXAMPLE.ORG"), b"alice", mechs=[KRB5]))
    credential("wrong password", lambda: gss.acquire_cred_with_password(gss.import_name(b"alice@EXAMPLE.ORG"), b"queen", mechs=[KRB5]))
    negotiator = credential("spnego", lambda: gss.acquire_cred(None, usage=usage, mechs=[SPNEGO]))
    credential("spnego of a name", lambda: gss.acquire_cred(gss.import_name(b"alice@EXAMPLE.ORG"), usage=usage, mechs=[SPNEGO]))
    credential("spnego, no cache", lambda: gss.acquire_cred_from({"ccache": "FILE:/nonexistent"}, usage="initiate", mechs=[SPNEGO]))
    credential("spnego, password", lambda: gss.acquire_cred_with_password(gss.import_name(b"alice@EXAMPLE.ORG"), b"alice", mechs=[SPNEGO]))
    if negotiator is not None:
        note("credential spnego: by mech", lambda: plain(gss.inquire_cred_by_mech(negotiator, SPNEGO).name))
        note("credential spnego: option", gss.set_cred_option, gss.OID.from_int_seq(QUESTIONS["unknown"]), negotiator, b"x")
        note("credential spnego: moved", lambda: plain(gss.inquire_cred(gss.import_cred(gss.export_cred(negotiator))).name))
        note("credential spnego: negotiates", gss.set_neg_mechs, negotiator, [KRB5])
        note("credential spnego: stored", lambda: plain(gss.store_cred_into({"ccache": "FILE:/tmp/observed.spnego"}, negotiator, usage=usage, overwrite=True, mech=SPNEGO).mechs))
    if own is None:
        return
    note("credential by mech", lambda: plain(gss.inquire_cred_by_mech(own, KRB5).name))
    note("credential by oid", gss.inquire_cred_by_oid, own, gss.OID.from_int_seq(QUESTIONS["unknown"]))
    note("credential option", gss.set_cred_option, gss.OID.from_int_seq(QUESTIONS["unknown"]), own, b"x")
    note("credential moved", lambda: plain(gss.inquire_cred(gss.import_cred(gss.export_cred(own))).name))
    note("credential impersonates", lambda: plain(gss.inquire_cred(gss.acquire_cred_impersonate_name(own, gss.import_name(b"bob@EXAMPLE.ORG")).creds).name))
    note("credential negotiates", gss.set_neg_mechs, own, [KRB5])
    note("credential types", gss.krb5_set_allowable_enctypes, own, [18])
    note("credential cache", gss.krb5_ccache_name, None)
    note("credential stored", lambda: plain(gss.store_cred_into({"ccache": "FILE:/tmp/observed.own"}, own, usage=usage, overwrite=True, mech=KRB5).mechs))


def names():
    name = gss.import_name(b"alice@EXAMPLE.ORG")
    service = import_service("host@server.example.org")
    for what, each in (("user", name), ("service", service)):
        own = note(f"name {what}", gss.canonicalize_name, each, KRB5)
        note(f"name {what}: exported", lambda own=own: gss.export_name(own).hex())
        note(f"name {what}: compared", gss.compare_name, own, each)
        note(f"name {what}: inquired", lambda own=own: [plain(part) for part in gss.inquire_name(own)])
        note(f"name {what}: attribute", gss.get_name_attribute, own, b"urn:nothing")
        note(f"name {what}: mechanisms", gss.inquire_mechs_for_name, each)
        note(f"name {what}: composite", lambda own=own: len(gss.export_name_composite(own)))
    note("mechanisms", gss.indicate_mechs)
    for what, mech in (("krb5", KRB5), ("spnego", SPNEGO)):
        note(f"mechanism {what}: names", gss.inquire_names_for_mech, mech)
        note(f"mechanism {what}: attributes", lambda mech=mech: [plain(part) for part in gss.inquire_attrs_for_mech(mech)])
        note(f"mechanism {what}: sasl", lambda mech=mech: [part.decode() for part in gss.inquire_saslname_for_mech(mech)])
    note("mechanism of GS2-KRB5", gss.inquire_mech_for_saslname, b"GS2-KRB5")


names()
credentials()
for case, arguments in CASES.items():
    connect()
    context, delegated = establish(case, arguments)
    if case in ("delegated", "spnego delegated") and not initiator:
        delegated_credentials(case, delegated)
    if context is not None and case in ("usual", "one way", "dce", "spnego", "replay only", "bindings"):
        for part in (questions, messages, last):
            note(f"{case}: {part.__name__}", part, case, context)
connect()
note("moved", moved, "moved", CASES["usual"])
connect()
note("spnego moved", moved, "spnego moved", CASES["spnego"])
close()
note("empty token", gss.accept_sec_context, b"")
note("strange token", gss.accept_sec_context, b"\x60\x03\x06\x01\x00")
os.environ["KRB5CCNAME"], os.environ["KRB5_KTNAME"] = "FILE:/nonexistent", "FILE:/nonexistent"
note("no ticket for spnego", lambda: gss.init_sec_context(import_service("host@server.example.org"), mech=SPNEGO).token)
note("no ticket", lambda: gss.init_sec_context(import_service("host@server.example.org")).token)
note("no key", lambda: gss.accept_sec_context(b"\x60\x82\x00\x10\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01\x00\x6e"))
print(json.dumps(seen))
