/* SPDX-License-Identifier: MIT */
/* What a program needs to speak with mechanism ipsec beyond the portable GSS-API: object identifiers, the key of the
   credential store, and the minor status codes, which need no library; and the functions of libgss-ipsec (pkg-config
   gss-ipsec). Plain C, works with MIT krb5's mechglue.

   A context of this mechanism rests on the connected socket under it. A program says which socket that is by one of

     gss_acquire_cred_from() with GSS_IPSEC_STORE_SOCKET = decimal descriptor in the credential store;
     gss_set_cred_option() with GSS_IPSEC_OID_CRED_SOCKET on a credential that it has;
     gss_ipsec_set_socket(), or gssspi_mech_invoke() with the mechanism's OID and GSS_IPSEC_OID_THREAD_SOCKET: a default for
     the calling thread.

   Otherwise the only connected TCP socket of the process is taken, if there is exactly one that is not loopback; or the one
   that libgss-ipsec-preload.so has seen, where that is loaded (mech_ipsec(7)). SCTP associations are counted, but a context
   on one is refused (GSS_IPSEC_E_NOT_LATCHABLE): the kernel cannot keep them to IPsec. */
#ifndef GSS_IPSEC_GSS_IPSEC_H
#define GSS_IPSEC_GSS_IPSEC_H

#ifdef __cplusplus
extern "C" {
#endif

/* Object identifiers, dotted. gss_str_to_oid() of MIT krb5 takes them with blanks in braces, "{ 1 2 840 ... }". */
#define GSS_IPSEC_OID_BASE "1.2.840.113556.1.8000.2554.29037.34951.56904.17186.41534.6054741.10980991"
#define GSS_IPSEC_OID_MECHANISM GSS_IPSEC_OID_BASE ".1"     /* mechanism ipsec */
#define GSS_IPSEC_OID_INTERPOSER GSS_IPSEC_OID_BASE ".2"    /* Kerberos over the channel */
#define GSS_IPSEC_OID_NT_IPSEC_ID GSS_IPSEC_OID_BASE ".3"   /* name type: "ipsec:fqdn:host/user", "fqdn:host" */
#define GSS_IPSEC_OID_THREAD_SOCKET GSS_IPSEC_OID_BASE ".4" /* gssspi_mech_invoke */
#define GSS_IPSEC_OID_CRED_SOCKET GSS_IPSEC_OID_BASE ".5"   /* gss_set_cred_option */
#define GSS_IPSEC_OID_EXTERNAL GSS_IPSEC_OID_BASE ".6"      /* gssspi_mech_invoke: a gss_ipsec_external_request */
#define GSS_IPSEC_OID_SPNEGO_INTERPOSER GSS_IPSEC_OID_BASE ".8" /* SPNEGO with mechanism ipsec first */

/* The same as the content octets of their DER form, for a gss_OID_desc: { GSS_IPSEC_OID_LENGTH, GSS_IPSEC_OID_OCTETS("\x01") }. */
#define GSS_IPSEC_OID_LENGTH 35
#define GSS_IPSEC_OID_OCTETS(last_arc)                                                                                   \
  "\x2a\x86\x48\x86\xf7\x14\x01\xbe\x40\x93\x7a\x81\xe2\x6d\x82\x91\x07\x83\xbc\x48\x81\x86\x22\x82\xc4\x3e\x82\xf1" \
  "\xc6\x55\x85\x9e\x9c\x7f" last_arc

/* Values of both socket options: decimal digits, or the four octets of an int. GSS_IPSEC_OID_THREAD_SOCKET takes the value
   GSS_IPSEC_CLEAR, or none, to forget the thread's socket. */
#define GSS_IPSEC_CLEAR "clear"

/* Keys of the credential store. */
#define GSS_IPSEC_STORE_SOCKET "ipsec-socket"       /* decimal descriptor of a connected socket */
#define GSS_IPSEC_STORE_ANONYMOUS "ipsec-anonymous" /* "allow" or "refuse" (default): initiators whom nobody vouches for */
#define GSS_IPSEC_STORE_LAST_TOKEN "ipsec-last-token" /* "acceptor" or "initiator" (default): whose token ends an initiator's exchange */

/* Attributes of a peer's name, for gss_get_name_attribute(): GSS_IPSEC_ATTRIBUTE("identity"). Single values but for
   "services". Where IKE authenticated the peer all are authenticated, otherwise none.
     of the name:       identity-type identity user public-key-sha256
     of the context:    services algorithms key-bits integrity confidentiality replay-protection
     of the connection, while it is the same:  authentication-method certificate-subject certificate-alternative-name mode
                        latched protected-since-start ike-connection */
#define GSS_IPSEC_ATTRIBUTE(name) "urn:oid:" GSS_IPSEC_OID_BASE ".7 " name

/* Qualities of protection of gss_wrap(). */
#define GSS_IPSEC_QOP_CHANNEL 0 /* rests on the connection's ESP where that is latched; sealed where it is not enough */
#define GSS_IPSEC_QOP_SEALED 1  /* AES-256-GCM always: for messages that may travel another way */

/* Minor status codes. Numbers never change. gss_display_status() adds what was wanted and found. */
#define GSS_IPSEC_MINOR_BASE 0x49500000u
/* The same errors in Kerberos over the channel have this added. */
#define GSS_IPSEC_MINOR_KERBEROS 0x10000u
enum gss_ipsec_error {
  /* no IPsec policy covers this connection; add one to the SPD or start the IKE connection */
  GSS_IPSEC_E_NO_POLICY = 0x49500000 + 1,
  /* only one direction of this connection is protected; both directions need a policy */
  GSS_IPSEC_E_ONE_DIRECTION = 0x49500000 + 2,
  /* the policy lets packets pass in clear when there is no SA (level use); make it required */
  GSS_IPSEC_E_OPTIONAL_POLICY = 0x49500000 + 3,
  /* the policy asks for IPsec but no usable SA is there; check the IKE daemon */
  GSS_IPSEC_E_NO_SA = 0x49500000 + 4,
  /* a policy or socket option lets this connection bypass IPsec */
  GSS_IPSEC_E_BYPASS = 0x49500000 + 5,
  /* a policy blocks this connection */
  GSS_IPSEC_E_BLOCKED = 0x49500000 + 6,
  /* whether this connection is protected cannot be known now; unknown is not protected */
  GSS_IPSEC_E_UNKNOWN = 0x49500000 + 7,
  /* the protection is weaker than required */
  GSS_IPSEC_E_WEAK = 0x49500000 + 8,
  /* loopback and same-host connections are not IPsec */
  GSS_IPSEC_E_LOOPBACK = 0x49500000 + 9,
  /* the tunnel ends at a gateway, not at the peer itself */
  GSS_IPSEC_E_NOT_END_TO_END = 0x49500000 + 10,
  /* this connection can be watched but not latched */
  GSS_IPSEC_E_NOT_LATCHABLE = 0x49500000 + 11,
  /* the latch on this connection is broken: its protection changed after it was established */
  GSS_IPSEC_E_LATCH_BROKEN = 0x49500000 + 12,
  /* the latch on this connection cannot be confirmed now */
  GSS_IPSEC_E_LATCH_STALE = 0x49500000 + 13,
  /* it cannot be shown that this connection was protected since it began; latch before connecting or keep the policy in place first */
  GSS_IPSEC_E_STARTED_IN_CLEAR = 0x49500000 + 14,
  /* the kernel does not show the SA's keys (lockdown or manual SA without leave), so nothing can be bound to it */
  GSS_IPSEC_E_NO_KEYS = 0x49500000 + 15,
  /* the SA's keys or key exchange are too weak to bind to */
  GSS_IPSEC_E_WEAK_KEYS = 0x49500000 + 16,
  /* the SAs named by the peer's token are gone */
  GSS_IPSEC_E_SA_GONE = 0x49500000 + 17,
  /* contexts rest on the latch of this socket; delete them first */
  GSS_IPSEC_E_LATCH_IN_USE = 0x49500000 + 18,
  /* another user latched this socket */
  GSS_IPSEC_E_LATCH_OF_OTHER = 0x49500000 + 19,
  /* the broker knows no latch on this socket */
  GSS_IPSEC_E_NO_LATCH = 0x49500000 + 20,
  /* this socket has a policy of its own for another peer; use another socket */
  GSS_IPSEC_E_OWN_POLICY = 0x49500000 + 21,
  /* IKE did not authenticate one single peer; the peer can only be anonymous */
  GSS_IPSEC_E_PEER_UNAUTHENTICATED = 0x49500000 + 100,
  /* no source names the peer of these SAs */
  GSS_IPSEC_E_PEER_UNKNOWN = 0x49500000 + 101,
  /* the peer is not the one that was asked for */
  GSS_IPSEC_E_WRONG_PEER = 0x49500000 + 102,
  /* the acceptor may not use this service name; run it as root or add a line to the service map */
  GSS_IPSEC_E_SERVICE_DENIED = 0x49500000 + 103,
  /* the name cannot be read */
  GSS_IPSEC_E_BAD_NAME = 0x49500000 + 104,
  /* this name type is not supported by mechanism ipsec */
  GSS_IPSEC_E_NAME_TYPE = 0x49500000 + 105,
  /* the administrator's map gives this peer no local name */
  GSS_IPSEC_E_NO_LOCAL_NAME = 0x49500000 + 106,
  /* the peer is anonymous and the caller did not allow that */
  GSS_IPSEC_E_ANONYMOUS_REFUSED = 0x49500000 + 107,
  /* the token is broken */
  GSS_IPSEC_E_BAD_TOKEN = 0x49500000 + 200,
  /* the token has a version that is not supported */
  GSS_IPSEC_E_TOKEN_VERSION = 0x49500000 + 201,
  /* the token is longer than allowed */
  GSS_IPSEC_E_TOKEN_TOO_LONG = 0x49500000 + 202,
  /* the token was not made by the broker at the other end of this SA */
  GSS_IPSEC_E_BAD_MAC = 0x49500000 + 203,
  /* the token belongs to another connection */
  GSS_IPSEC_E_WRONG_FLOW = 0x49500000 + 204,
  /* the token does not continue this exchange */
  GSS_IPSEC_E_WRONG_TRANSCRIPT = 0x49500000 + 207,
  /* the application's channel bindings differ */
  GSS_IPSEC_E_BAD_BINDINGS = 0x49500000 + 208,
  /* the peer has not latched its socket */
  GSS_IPSEC_E_PEER_NOT_LATCHED = 0x49500000 + 209,
  /* the peer refused */
  GSS_IPSEC_E_PEER_REFUSED = 0x49500000 + 210,
  /* the peer asked for too many retries */
  GSS_IPSEC_E_TOO_MANY_RETRIES = 0x49500000 + 211,
  /* the token was made for the other role */
  GSS_IPSEC_E_WRONG_ROLE = 0x49500000 + 212,
  /* the message or its protection was changed */
  GSS_IPSEC_E_BAD_MIC = 0x49500000 + 213,
  /* the message is out of sequence */
  GSS_IPSEC_E_OUT_OF_SEQUENCE = 0x49500000 + 214,
  /* the initiator did not prove that the first token was made for it now; it may be an old one, sent again */
  GSS_IPSEC_E_NOT_CONFIRMED = 0x49500000 + 215,
  /* the offer to rely on the channel was not made by the acceptor of this context */
  GSS_IPSEC_E_SWITCH_FORGED = 0x49500000 + 216,
  /* the message relies on the channel, but the two ends of this context did not agree on that */
  GSS_IPSEC_E_NOT_SWITCHED = 0x49500000 + 217,
  /* ipsec-gssd cannot be reached; is it running? */
  GSS_IPSEC_E_NO_BROKER = 0x49500000 + 300,
  /* ipsec-gssd did not answer in time */
  GSS_IPSEC_E_BROKER_TIMEOUT = 0x49500000 + 301,
  /* the process that listens on the broker's socket is not the system's broker */
  GSS_IPSEC_E_FALSE_BROKER = 0x49500000 + 302,
  /* a message between library and broker is broken */
  GSS_IPSEC_E_BAD_MESSAGE = 0x49500000 + 303,
  /* library and broker share no version of their protocol */
  GSS_IPSEC_E_PROTOCOL_VERSION = 0x49500000 + 304,
  /* the broker is busy with other requests of this user */
  GSS_IPSEC_E_BUSY = 0x49500000 + 305,
  /* the broker's access policy does not allow this */
  GSS_IPSEC_E_NOT_ALLOWED = 0x49500000 + 306,
  /* the process changed its user since it connected to the broker */
  GSS_IPSEC_E_CREDENTIALS_CHANGED = 0x49500000 + 307,
  /* a limit of the broker is reached */
  GSS_IPSEC_E_LIMIT = 0x49500000 + 308,
  /* no socket was named and there is not exactly one connected socket to use */
  GSS_IPSEC_E_NO_SOCKET = 0x49500000 + 400,
  /* the descriptor is not a connected internet socket */
  GSS_IPSEC_E_NOT_A_SOCKET = 0x49500000 + 401,
  /* this kind of socket is not supported */
  GSS_IPSEC_E_UNSUPPORTED_SOCKET = 0x49500000 + 402,
  /* the socket is not connected */
  GSS_IPSEC_E_NOT_CONNECTED = 0x49500000 + 403,
  /* the socket belongs to another network namespace than the broker */
  GSS_IPSEC_E_OTHER_NAMESPACE = 0x49500000 + 404,
  /* the descriptor now names another connection than the context was made for */
  GSS_IPSEC_E_SOCKET_CHANGED = 0x49500000 + 405,
  /* the socket was made by another user */
  GSS_IPSEC_E_NOT_OWNER = 0x49500000 + 406,
  /* the socket is on the wrong side of a connection for this role */
  GSS_IPSEC_E_WRONG_SIDE = 0x49500000 + 407,
  /* the socket is connected already, or connecting, or it listens; ask before that */
  GSS_IPSEC_E_ALREADY_CONNECTED = 0x49500000 + 408,
  /* this endpoint descriptor stands for nothing that this user may use; make it anew: the broker may have been restarted, or it is another user's */
  GSS_IPSEC_E_NO_ENDPOINT = 0x49500000 + 409,
  /* internal error */
  GSS_IPSEC_E_INTERNAL = 0x49500000 + 500,
  /* an argument is not valid */
  GSS_IPSEC_E_BAD_ARGUMENT = 0x49500000 + 501,
  /* the security context is not established */
  GSS_IPSEC_E_NO_CONTEXT = 0x49500000 + 502,
  /* the operation is not available */
  GSS_IPSEC_E_UNAVAILABLE = 0x49500000 + 503,
  /* the quality of protection is not known */
  GSS_IPSEC_E_BAD_QOP = 0x49500000 + 504,
  /* the credential is not for this use */
  GSS_IPSEC_E_WRONG_USAGE = 0x49500000 + 505,
  /* out of memory */
  GSS_IPSEC_E_NO_MEMORY = 0x49500000 + 506,
  /* the context's lifetime is over; make a new context */
  GSS_IPSEC_E_EXPIRED = 0x49500000 + 507,
  /* the configuration is wrong */
  GSS_IPSEC_E_BAD_CONFIG = 0x49500000 + 600,
  /* the kernel's XFRM interface failed */
  GSS_IPSEC_E_NETLINK = 0x49500000 + 700,
  /* a netlink message is broken */
  GSS_IPSEC_E_NETLINK_MESSAGE = 0x49500000 + 701,
  /* the kernel dropped netlink messages */
  GSS_IPSEC_E_NETLINK_LOST = 0x49500000 + 702,
  /* the IKE daemon cannot be asked */
  GSS_IPSEC_E_IKE_SOURCE = 0x49500000 + 703,
  /* a message of the IKE daemon is broken */
  GSS_IPSEC_E_IKE_MESSAGE = 0x49500000 + 704,
  /* a system call failed */
  GSS_IPSEC_E_SYSTEM = 0x49500000 + 705
};

/* What a protected connection says without a context, for SASL's mechanism EXTERNAL. */
struct gss_ipsec_external {
  unsigned int ssf;  /* as SASL counts: the bits of the weaker key, 1 for integrity alone; for SASL_SSF_EXTERNAL */
  char authid[1040]; /* the peer's host as IKE authenticated it, "fqdn:client.example.org"; for SASL_AUTH_EXTERNAL */
};
struct gss_ipsec_external_request {
  int socket;                     /* a connected socket */
  struct gss_ipsec_external *out; /* written only on success */
};

/* Functions of libgss-ipsec. They return 0 or one of enum gss_ipsec_error, GSS_IPSEC_E_UNAVAILABLE where MIT's libgssapi_krb5 or the
   plugin is not there; libgss-ipsec(3). */

/* The calling thread's contexts rest on this socket, which must be connected, until another one is named; -1: on none that is named.
   When the descriptor names another connection later, contexts fail. */
int gss_ipsec_set_socket(int fd);

/* Latches the socket, so that nothing more goes over it in clear, and tells how it is protected and by whom: fails unless both directions
   are protected, and were since the connection began, by a peer that IKE authenticated. */
int gss_ipsec_get_external(int fd, struct gss_ipsec_external *out);

/* The fixed text of an error, in English; never null. */
const char *gss_ipsec_error_text(int code);

#ifdef __cplusplus
}
#endif

#endif
