# SPDX-License-Identifier: MIT
import gss

# What a server does, in C's own words: gss_ipsec_get_external(), then sasl_setprop() twice.
SERVER = """
import ctypes as c, socket, sys
SASL_USERNAME, SASL_SSF_EXTERNAL, SASL_SEC_PROPS, SASL_AUTH_EXTERNAL = 0, 100, 101, 102
class Properties(c.Structure):  # wants encryption: only the strength from outside can give it
    _fields_ = [(n, c.c_uint) for n in ("min_ssf", "max_ssf", "maxbufsize", "flags")] + [("names", c.c_void_p), ("values", c.c_void_p)]
class External(c.Structure): _fields_ = [("ssf", c.c_uint), ("authid", c.c_char * 1040)]
ipsec, sasl = c.CDLL("/run/bin/libgss-ipsec.so.0"), c.CDLL("libsasl2.so.2")
ipsec.gss_ipsec_error_text.restype = c.c_char_p
l = socket.create_server((sys.argv[1], 7000))
print("listening", flush=True)
s, _ = l.accept()
s.recv(1)
told = External()
error = ipsec.gss_ipsec_get_external(s.fileno(), c.byref(told))
if error: raise SystemExit("refused: " + ipsec.gss_ipsec_error_text(error).decode())
def must(code): assert code == 0, code
connection = c.c_void_p()
must(sasl.sasl_server_init(None, b"test"))
must(sasl.sasl_server_new(b"test", b"server.example.org", None, None, None, None, 0, c.byref(connection)))
must(sasl.sasl_setprop(connection, SASL_SEC_PROPS, c.byref(Properties(56, 256, 65536, 0, None, None))))
must(sasl.sasl_setprop(connection, SASL_SSF_EXTERNAL, c.byref(c.c_uint(told.ssf))))
must(sasl.sasl_setprop(connection, SASL_AUTH_EXTERNAL, told.authid))
out, size, value = c.c_char_p(), c.c_uint(), c.c_void_p()
must(sasl.sasl_server_start(connection, b"EXTERNAL", b"", 0, c.byref(out), c.byref(size)))
must(sasl.sasl_getprop(connection, SASL_USERNAME, c.byref(value)))
print("user", c.cast(value, c.c_char_p).value.decode(), "ssf", told.ssf)
"""


def served(lab, address, log):
    server = lab.b.popen(["/usr/bin/python3", "-c", SERVER, address], log=log)
    lab.need(f"{log}: listens", lab.wait(lambda: "listening" in lab.b.log(log), 15), lab.b.log(log))
    done = (lab.b if address == "127.0.0.1" else lab.a).run(
        ["/usr/bin/python3", "-c", f"import socket; s = socket.create_connection(('{address}', 7000)); s.send(b'x'); s.recv(1)"])
    server.wait(timeout=15)
    return lab.b.log(log) + done.stderr


def run(lab):
    gss.brokers(lab)
    said = served(lab, "10.1.0.2", "external.log")
    lab.expect("the peer's host is the user, and the ESP key counts", "user fqdn:client.example.org ssf" in said and "ssf 1\n" not in said, said)
    said = served(lab, "127.0.0.1", "loopback.log")
    lab.expect("loopback is refused", "refused: loopback" in said, said)
