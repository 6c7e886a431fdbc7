/* SPDX-License-Identifier: MIT */
/* The sockets-layer IPsec API: what protects this socket, and who is at the other end. For programs that know sockets and no
   security API; one library (pkg-config ipsecapi), plain C, over the broker ipsec-gssd, which needs no privilege of the program:
   who holds a socket may ask about it.

     char peer[IPSEC_PEER_SIZE];
     if (ipsec_get_peer(fd, peer, sizeof peer) == 0) printf("%s\n", peer);
     else { ipsec_get_error(peer, sizeof peer); printf("nobody whom IPsec vouches for: %s\n", peer); }

   Names come from where they were first drafted: C04 draft-ietf-btns-c-api-04, ABS draft-ietf-btns-abstract-api-01, REQ
   draft-ietf-btns-ipsec-apireq-00, CBA draft-ietf-btns-channel-binding-api-00, RFC 5660 (latches), RFC 6458 (events). EXT: ours.

   For every function here:
   - 0 is success; -1 is failure, with errno, and with the reason in ipsec_get_error(). Outputs are written on success only.
   - Any thread, at any time, with any descriptor; only a token or latch that one thread changes or frees must not be used by
     another at that moment. No threads, signals or output of the library's own. After fork() the child may go on with everything but
     a subscription. None is a cancellation point.
   - A question to the broker waits 2 s at most; after that EAGAIN or ETIMEDOUT. Reading a token never waits.
   - Neither keys nor SPIs are ever given (REQ 11).
   - Integers are in host byte order, texts end in NUL. ipsecapi(3) says more. */
#ifndef IPSEC_IPSECAPI_H
#define IPSEC_IPSECAPI_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <ipsec/ipsec_err.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Reasons (REQ 9) ------------------------------------------------------------------------------------------------- */

/* The fixed text of an error; never null. */
const char *ipsec_strerror(int error);
/* The reason of this thread's last failed call, and its text with what was wanted and what was found, cut to `size` octets with
   NUL. `text` may be null. Success leaves it alone, as it does errno. EXT. */
enum ipsec_err ipsec_get_error(char *text, size_t size);

/* ---- Is it there (draft-komu-btns-api 2) ------------------------------------------------------------------------------ */

#define IPSEC_API_VERSION 1
/* The version of this API that the library has: at least IPSEC_API_VERSION of the header that the program was built with. EXT. */
int ipsec_api_version(void);
#define IPSEC_CAP_BROKER 1u          /* the broker answers */
#define IPSEC_CAP_QUERY 2u           /* and there are policies that ask for IPsec */
#define IPSEC_CAP_IDENTITY 4u        /* and it knows who this host is: peers have names */
#define IPSEC_CAP_LATCH 8u           /* and this user may ask for latches, for protection before connect(2), and for PF_SHIM */
/* What works here and now, a sum of these; 0 without a broker, ipsec_get_error() says why. Asks the broker. Whether the kernel can latch
   this socket, and resets it when the latch breaks, the latch itself tells: ipsec_create_connection_latch(), ipsec_set_break_policy(). EXT. */
unsigned ipsec_capabilities(void);

/* ---- What protects this socket ---------------------------------------------------------------------------------------- */

#define IPSEC_INFO_SECURED 1u            /* both directions are protected by IPsec */
#define IPSEC_INFO_ENCRYPTED 2u          /* and both are encrypted */
#define IPSEC_INFO_PEER_AUTHENTICATED 4u /* and IKE proved one single peer; otherwise he may be anybody */
#define IPSEC_INFO_LATCHED 8u            /* and a latch watches that it stays so */
#define IPSEC_INFO_ENFORCED 16u          /* and the kernel itself lets nothing else pass on this socket */
#define IPSEC_INFO_E2E 32u               /* and it ends at the peer, not at a gateway before him */
#define IPSEC_INFO_SINCE_START 64u       /* and no octet of this connection can have passed before; not set where the broker cannot show
                                            it, as of a connection that is older than the broker */
#define IPSEC_INFO_REPLAY 128u           /* and replayed packets are dropped here */
/* Without IPSEC_INFO_ENFORCED it is what the SPD asks for; what root set on this very socket before cannot be seen. */

/* RFC 5660 2: the first four. Numbers are fixed. */
enum ipsec_latch_state {
  IPSEC_LATCH_NONE = 0,
  IPSEC_LATCH_LISTENER = 1,
  IPSEC_LATCH_ESTABLISHED = 2,
  IPSEC_LATCH_BROKEN = 3,
  IPSEC_LATCH_CLOSED = 4,
  IPSEC_LATCH_STALE = 5,    /* EXT: cannot be confirmed now; ask again */
  IPSEC_LATCH_MONITORED = 6 /* EXT: the kernel cannot enforce it; it is watched */
};
enum ipsec_mode { IPSEC_MODE_ANY = 0, IPSEC_MODE_TRANSPORT = 1, IPSEC_MODE_TUNNEL = 2, IPSEC_MODE_BEET = 3 };

/* How the peer authenticated (C04 figure 4; the last four EXT). NONE where nobody knows: never guessed. */
enum ipsec_api_auth_meth {
  IPSEC_API_ATTR_authMeth_NONE = 0x0300,
  IPSEC_API_ATTR_authMeth_BTNS = 0x0301,
  IPSEC_API_ATTR_authMeth_LEAPOFFAITH = 0x0302,
  IPSEC_API_ATTR_authMeth_PRESHAREDKEY = 0x0303, /* of this pair alone */
  IPSEC_API_ATTR_authMeth_GROUPKEY = 0x0304,     /* a pre-shared key that others may have, too */
  IPSEC_API_ATTR_authMeth_XAUTH = 0x0305,
  IPSEC_API_ATTR_authMeth_EAP = 0x0306,
  IPSEC_API_ATTR_authMeth_PKIX_TRUSTED = 0x0307, /* a certificate that the IKE daemon trusts */
  IPSEC_API_ATTR_authMeth_PKIX_INLINE = 0x0308,
  IPSEC_API_ATTR_authMeth_PKIX_OFFLINE = 0x0309,
  IPSEC_API_ATTR_authMeth_NULL = 0x0380, /* RFC 7619 */
  IPSEC_API_ATTR_authMeth_RAWKEY = 0x0381,
  IPSEC_API_ATTR_authMeth_HIP = 0x0382,
  IPSEC_API_ATTR_authMeth_MANUAL = 0x0383
};

struct ipsec_security_info {
  uint32_t size;        /* set it to sizeof(struct ipsec_security_info): later versions have more */
  uint32_t flags;       /* IPSEC_INFO_... */
  uint32_t latch_state; /* enum ipsec_latch_state */
  uint32_t auth_method; /* enum ipsec_api_auth_meth, of the peer */
  uint32_t mode;        /* enum ipsec_mode */
  uint32_t key_bits;    /* of the weaker direction */
  uint32_t why;         /* enum ipsec_err: why not IPSEC_INFO_SECURED, 0 where it is; ipsec_strerror() */
};
/* What protects a connected socket now (TCP, SCTP one-to-one, connected UDP). That nothing does is an answer, no failure.
   EINVAL: null, or a `size` that is too small. ENOTSOCK (a Unix socket, too), ENOTCONN, EPROTONOSUPPORT (raw,
   MPTCP), EXDEV (of another network namespace than the broker), ESTALE (closed or reused meanwhile), ECONNREFUSED (no broker),
   ETIMEDOUT, EAGAIN (busy), EPERM (the administrator's [access]). EXT; F1, F14 of REQ 5 and 9. */
int ipsec_query(int fd, struct ipsec_security_info *info);

#define IPSEC_PEER_SIZE 1040
/* The peer's IKE identity with its type, "fqdn:client.example.org", where the socket is secured and IKE authenticated him; it stands
   for everybody on that host. Otherwise EACCES and the reason; ERANGE: wanted IPSEC_PEER_SIZE. Also as ipsec_query(). EXT. */
int ipsec_get_peer(int fd, char *name, size_t size);

/* ---- Tokens (C04, ABS) ------------------------------------------------------------------------------------------------ */

typedef struct ipsec_pToken *ipsec_pToken_t; /* a protection: found on a socket, or wanted (a template) */
typedef struct ipsec_iToken *ipsec_iToken_t; /* an identity: found at an end of a protection, or wanted */

/* A template that wants nothing. Free it with ipsec_free_pToken(). Null and ENOMEM. C04. */
ipsec_pToken_t ipsec_create_pToken(void);
/* Null is no error. EINVAL: a handle of another kind. One that was freed, or is none at all, is undefined, here and in every function,
   as with free(3). C04. */
int ipsec_free_pToken(ipsec_pToken_t token);
/* A copy that is the caller's. C04. */
int ipsec_dup_pToken(const ipsec_pToken_t token, ipsec_pToken_t *copy);
/* 0 when both are secured, of the same strength and mode, and between the same proven identities (C04 2.3.5: when, by which SAs and
   over which outer addresses does not matter); or both are equal templates. 1 otherwise, so also where one is not secured: no
   protection is like none. -1 and EINVAL: another kind of handle, or null. */
int ipsec_cmp_pToken(ipsec_pToken_t one, ipsec_pToken_t other);
/* Replaces what is in `token` by what ipsec_query() would say, with all attributes. Errors as there. C04. */
int ipsec_get_socket_pToken(int fd, ipsec_pToken_t token);
/* The same of a datagram that came: `message` as recvmsg(2) left it, with its source in msg_name, and on a socket that is bound to no
   single address with IP_PKTINFO or IPV6_PKTINFO (EINVAL without). The kernel notes of no datagram what protected it. So it is secured
   only where each one from there has had to be since the socket was bound: the policies of now have demanded it all the time, or the
   socket is latched since then. Otherwise it is not, and IPSEC_API_ATTR_why says what is not known: IPSEC_E_STARTED_IN_CLEAR it may
   have come before the policies; IPSEC_E_UNKNOWN the socket has a policy of its own, for another peer. Who the peer is, is who has
   the SAs now. EPROTONOSUPPORT: no datagram socket. C04, which takes no descriptor. */
int ipsec_get_msg_pToken(int fd, const struct msghdr *message, ipsec_pToken_t token);
/* Octets that hold a template, for a file or another program. `size` as of ipsec_export_iToken(); IPSEC_TEMPLATE_SIZE at most. EINVAL:
   no template; what was found on a socket is true there and then, and is not written down. EXT; ABS 3.5.1. */
#define IPSEC_TEMPLATE_SIZE 16
int ipsec_export_template(const ipsec_pToken_t token, void *octets, size_t *size);
/* A new template. EINVAL: not what an export gave, or of a later version. */
int ipsec_import_template(const void *octets, size_t size, ipsec_pToken_t *token);

/* An identity that is to be wanted; name it by IPSEC_API_ATTR_identity. C04. */
ipsec_iToken_t ipsec_create_iToken(void);
int ipsec_free_iToken(ipsec_iToken_t token);                                 /* as ipsec_free_pToken(). C04 */
int ipsec_dup_iToken(const ipsec_iToken_t token, ipsec_iToken_t *copy);      /* EXT */
/* 0 when type and value are equal, and each was proven by IKE or is wanted; 1 otherwise: an identity that nobody proved is like no
   other. -1 and EINVAL: another kind of handle, or null. EXT; REQ 8.1. */
int ipsec_cmp_iToken(ipsec_iToken_t one, ipsec_iToken_t other);
/* Octets that name the identity, to be kept and imported later, by any program on any machine. `size` in: room, out: what they take
   (IPSEC_IDENTITY_SIZE at most), also with ERANGE and with a null `octets`. EACCES: nobody proved it, and nothing that is not proven
   is written down. What is imported is wanted, not proven. EXT; ABS 3.5.2. */
#define IPSEC_IDENTITY_SIZE 512
int ipsec_export_iToken(const ipsec_iToken_t token, void *octets, size_t *size);
/* A new token. EINVAL: not what an export gave. */
int ipsec_import_iToken(const void *octets, size_t size, ipsec_iToken_t *token);

/* Attributes: one space of numbers (C04 has two, which clash). u32: uint32_t; text: with NUL; iToken: an ipsec_iToken_t of the
   caller's own, to be freed. [w]: may be set, on templates, to what is wanted at least (_ENABLE, or _ANY, which takes it back; less than
   the administrator wants cannot be wanted), and on identities from ipsec_create_iToken(). */
enum ipsec_api_attr {
  /* of a protection */
  IPSEC_API_ATTR_privacyProtected = 0x0100,   /* u32 [w] IPSEC_API_ATTR_ENABLE: both directions are encrypted; else _DISABLE.
                                                 Templates also IPSEC_API_ATTR_LEVEL_...: and as strong as the administrator says */
  IPSEC_API_ATTR_integrityProtected = 0x0101, /* u32 [w] as above: both directions are proven to be the peer's */
  IPSEC_API_ATTR_compressionAvailable = 0x0102, /* u32 _DISABLE or _ENABLE: IPComp, so what passes shows how well it compresses */
  IPSEC_API_ATTR_policyName = 0x0103,         /* text: the IKE daemon's name of the connection; "" without one */
  IPSEC_API_ATTR_iToken = 0x0104,             /* iToken: this end. C04's texts of the two are swapped; its names, and */
  IPSEC_API_ATTR_remote_iToken = 0x0105,      /* iToken: the peer. the slides of its meeting, say it so */
  IPSEC_API_ATTR_tunnelMode = 0x0106,         /* u32 _DISABLE or _ENABLE */
  IPSEC_API_ATTR_ipoptionsProtected = 0x0107, /* u32: AH or a tunnel has the IP options in what it proves */
  IPSEC_API_ATTR_informationString = 0x0108,  /* text for people: how it is protected, or why not */
  IPSEC_API_ATTR_localId = 0x0180,            /* iToken, as IPSEC_API_ATTR_iToken. EXT, as all from here */
  IPSEC_API_ATTR_peerId = 0x0181,             /* iToken, as IPSEC_API_ATTR_remote_iToken */
  IPSEC_API_ATTR_latchState = 0x0182,         /* u32: enum ipsec_latch_state */
  IPSEC_API_ATTR_replayProtected = 0x0186,    /* u32 [w] as privacyProtected */
  IPSEC_API_ATTR_mode = 0x0187,               /* u32: enum ipsec_mode */
  IPSEC_API_ATTR_natTraversal = 0x0188,       /* u32: ESP is in UDP, for a NAT that is or may be there. ENODATA as outerAddrs */
  IPSEC_API_ATTR_innerAddrs = 0x0189,         /* struct ipsec_ends: the connection's own */
  IPSEC_API_ATTR_outerAddrs = 0x018a,         /* struct ipsec_ends: those of the packets on the wire as this host sees them, with the
                                                 ports of UDP around ESP, or 0. ENODATA: no SAs, or just moving. MOBIKE and NATs change them */
  IPSEC_API_ATTR_enforcement = 0x018d,        /* u32: IPSEC_ENFORCE_... */
  IPSEC_API_ATTR_securityFlags = 0x018e,      /* u32: IPSEC_INFO_... */
  IPSEC_API_ATTR_keyBits = 0x018f,            /* u32 [w] of the weaker direction */
  IPSEC_API_ATTR_why = 0x0190,                /* u32: enum ipsec_err */
  IPSEC_API_ATTR_btns = 0x0191,               /* u32 [w], templates alone: _DISABLE forbids a peer whom IKE did not authenticate; _ANY */
  IPSEC_API_ATTR_prospect = 0x0192,           /* u32: IPSEC_PROSPECT_..., of ipsec_probe() alone; else ENODATA */
  /* of both */
  IPSEC_API_ATTR_auditString = 0x01f0,        /* text: one line for a log, without secrets */
  /* of an identity */
  IPSEC_API_ATTR_authenticationMethod = 0x0200, /* u32: enum ipsec_api_auth_meth */
  IPSEC_API_ATTR_certificateDN = 0x0202,        /* text: the subject, where that is what IKE authenticated; else ENODATA */
  IPSEC_API_ATTR_pubKeyID = 0x0203,             /* text: SHA-256 of the key in hex, where that is the identity; else ENODATA */
  IPSEC_API_ATTR_ikeIdType = 0x0280,            /* u32: ID type of RFC 7296 3.5; 128 key by SHA-256, 129 HIT; 0 unknown */
  IPSEC_API_ATTR_ikeIdData = 0x0281,            /* text: its value in canonical form; "" unknown */
  IPSEC_API_ATTR_authenticated = 0x0287,        /* u32 0 or 1: IKE proved it, for the socket that it was found on */
  IPSEC_API_ATTR_identity = 0x0288,             /* text [w]: type and value, "fqdn:server.example.org" */
  IPSEC_API_ATTR_certificateAltName = 0x0289    /* text: as identity, where IKE proved it by a certificate that has it as a subjectAltName; else ENODATA */
};
enum { IPSEC_API_ATTR_ANY = 0, IPSEC_API_ATTR_DISABLE = 1, IPSEC_API_ATTR_ENABLE = 2,
       IPSEC_API_ATTR_LEVEL_LOW = 0x10, IPSEC_API_ATTR_LEVEL_MEDIUM = 0x20, IPSEC_API_ATTR_LEVEL_HIGH = 0x30 }; /* ipsec-gssd.conf(5), [[level]] */
enum { IPSEC_ENFORCE_NONE = 0, IPSEC_ENFORCE_MONITOR = 1, IPSEC_ENFORCE_KERNEL = 2 };
enum {
  IPSEC_PROSPECT_NONE = 0,       /* what leaves would leave in clear, or it cannot be known; IPSEC_API_ATTR_why */
  IPSEC_PROSPECT_BLOCKED = 1,    /* nothing would pass */
  IPSEC_PROSPECT_NEGOTIATED = 2, /* nothing leaves in clear; the first packet makes IKE negotiate, which may come to nothing */
  IPSEC_PROSPECT_PROTECTED = 3   /* the SAs are there: the token says how strong, and who has them */
};
struct ipsec_ends {
  struct sockaddr_storage local, peer; /* AF_INET, also of an IPv6 socket that speaks IPv4, or AF_INET6 */
};

/* `length` in: room at `value`; out: what the attribute takes, also with ERANGE and with a null `value`. EINVAL: no token, or an
   attribute of the other kind of token. ENODATA: this token has none. C04. */
int ipsec_get_token_attr(const void *token, uint32_t attribute, uint32_t *length, void *value);
/* EINVAL also: a value that the attribute cannot have. EPERM: what was found is not changed; nor is less wanted (_DISABLE). C04 (which takes a const token). */
int ipsec_set_token_attr(void *token, uint32_t attribute, uint32_t length, const void *value);

/* ---- Before there is a connection --------------------------------------------------------------------------------------- */

typedef struct ipsec_latch *ipsec_latch_t; /* below */

/* Replaces what is in `token` by what would protect a connection of this socket, which asked for no peer yet, to `to`, by the policies
   and SAs of now; IPSEC_API_ATTR_prospect. Sends nothing and promises nothing: ipsec_connect() does. Until IKE has spoken with him
   nobody knows who the peer is (ENODATA). bind(2) first where policies go by the local port or address. EISCONN: ask
   ipsec_get_socket_pToken(). EINVAL: an address that the socket cannot be connected to. Otherwise as ipsec_query(). EXT. */
int ipsec_probe(int fd, const struct sockaddr *to, socklen_t length, ipsec_pToken_t token);

/* From now on the kernel sends and takes on this socket, which is not connected yet, only what comes under the policies that the
   administrator has for this host and the peer at `to`, whatever becomes of them, and if IKE comes to nothing, nothing at all. The first
   packet makes the IKE daemon negotiate where there is no SA; until it has, connect(2) fails with EAGAIN. `wanted`: null, or a template,
   for the SAs that are there already (EACCES, IPSEC_E_WEAK); those that come are compared by ipsec_create_connection_latch(), who the
   peer is, too. It goes with the socket, and nobody takes it away.
   To be called before connect(2): EISCONN afterwards, also while the socket connects. Or before listen(2) on a TCP socket, which then takes
   the SYNs of `to` (port 0) under his SAs and no others, from the first one on; latch each accepted socket for its peer and strength. EACCES: the policies do not demand
   IPsec for this peer (IPSEC_E_NO_POLICY, IPSEC_E_OPTIONAL_POLICY, IPSEC_E_BYPASS). EPERM: another user's socket, or asked for by root.
   EOPNOTSUPP: as for latches. A connection to another address of this family gets nothing through; of the other family it would not be
   held back: connect to `to`. C04's ipsec_set_socket_pToken(), and REQ's WHO, with the address without which the kernel cannot. */
int ipsec_require(int fd, const struct sockaddr *to, socklen_t length, const ipsec_pToken_t wanted);
/* ipsec_require(), connect(2), which waits for IKE where the socket waits (SO_SNDTIMEO, else 30 s: ETIMEDOUT and IPSEC_E_NO_SA), and
   ipsec_create_connection_latch(): before the first octet of data the peer is who he must be. On failure close the socket. A socket with
   O_NONBLOCK: EAGAIN while IKE negotiates, then EINPROGRESS; when it is connected, latch it. A TCP connection is protected since it
   began by what was required, whatever the broker can show; datagrams may have come before to a socket that was bound, so of those
   it has to be shown. Other errors as of the three. EXT. */
int ipsec_connect(int fd, const struct sockaddr *to, socklen_t length, const ipsec_pToken_t wanted, const ipsec_iToken_t peer,
                  ipsec_latch_t *latch);

/* ---- Latches (RFC 5660 2.3) -------------------------------------------------------------------------------------------- */

/* By the socket, where the RFC has a 5-tuple: who only knows the addresses of a connection has no say in it. A handle is used by one
   thread at a time. The latch itself is the kernel's: it outlives the handle, the program that set it, and the broker, and goes
   with the socket. */
/* From now on the kernel sends and takes on this connected socket only what the present peer protects at least as now, whatever
   becomes of the SPD; rekeys pass. `wanted`: null, or the strength that is wanted at least: a template, or what was found on another
   socket. `peer`: null, or who it must be, proven. Both are compared with what was latched: EACCES (IPSEC_E_WEAK,
   IPSEC_E_WRONG_PEER), and EACCES where nothing protects the socket. Who wants either, wants it of all that he is going to read: EACCES
   (IPSEC_E_STARTED_IN_CLEAR) where it cannot be shown that the connection was protected since it began, for octets of before may wait
   to be read (from before the policies were loaded; of what is older than the broker nothing can be shown). With both null nothing is
   said of the past: ask for IPSEC_INFO_SINCE_START. After a refusal the socket may be latched all the same, which takes nothing from
   it: close it. EOPNOTSUPP: the kernel cannot enforce it here (SCTP, marks, VRF, MPTCP); subscribe to events instead.
   EPERM: another user latched it otherwise. CREATE_CONNECTION_LATCH. */
int ipsec_create_connection_latch(int fd, const ipsec_pToken_t wanted, const ipsec_iToken_t peer, ipsec_latch_t *latch);
/* The same for a listening TCP socket and the SAs with `peer`, which need not be there yet: connections whose SYN comes later inherit
   it. EOPNOTSUPP: of both families (set IPV6_V6ONLY). EPERM: not of your making. CREATE_LISTENER_LATCH. */
int ipsec_create_listener_latch(int fd, const struct sockaddr *peer, socklen_t length, ipsec_latch_t *latch);
/* A handle of the latch that a connected or listening socket has, whoever of this user set it; ENOENT: none. EPERM: a listener that is not
   of your making. FIND_LATCH. */
int ipsec_find_latch(int fd, ipsec_latch_t *latch);
/* The state now, without asking anybody but where it is stale; IPSEC_LATCH_CLOSED after the descriptor of its making was closed, or
   its number given to another socket, or the connection ended, or the latch was released; IPSEC_LATCH_BROKEN while that descriptor is
   open where the connection ended because the latch broke. `protection`: null, or a token that becomes what
   ipsec_get_socket_pToken() says; of a listener, what a connection from its peer has now. INQUIRE_LATCH. */
int ipsec_inquire_latch(ipsec_latch_t latch, enum ipsec_latch_state *state, ipsec_pToken_t protection);
/* Takes the latch away from the kernel, for all who share the socket, and frees the handle; on failure it frees nothing. Where its
   descriptor was closed it frees the handle alone: the latch goes with the socket. EBUSY: security contexts rest on it. EPERM: another
   user's. RELEASE_LATCH. */
int ipsec_release_latch(ipsec_latch_t latch);
/* Frees the handle alone; the latch stays. Null is no error. EXT. */
int ipsec_free_latch(ipsec_latch_t latch);

/* What happens when a latch breaks (RFC 5660 5.5). DROP is always there: nothing passes until it is restored. RESET where the kernel
   closes such connections (CONFIG_INET_DIAG_DESTROY), whether it was wished or not; else EOPNOTSUPP. NOTIFY, to go on
   unprotected, never: EOPNOTSUPP. */
enum ipsec_break_policy { IPSEC_ON_BREAK_DROP = 0, IPSEC_ON_BREAK_RESET = 1, IPSEC_ON_BREAK_NOTIFY = 2 };
int ipsec_set_break_policy(ipsec_latch_t latch, enum ipsec_break_policy policy);

/* ---- Channel bindings (CBA, RFC 5056) ---------------------------------------------------------------------------------- */

/* Says before connect(2) or listen(2) that bindings will be asked for: IP_SEC_CBINDING. Whoever the peer turns out to be, nothing passes but
   under SAs, which is what there is to bind to: ipsec_require() with null. CBA, with the address that it lacks. */
int ipsec_cbinding(int fd, const struct sockaddr *to, socklen_t length);
#define IPSEC_CB_EXPORTER_NAME "x-ipsec-exporter-v1" /* EXT: derived from the keys of the SAs and this connection */
#define IP_SEC_CBINDING_TYPES_BUFSIZE 256
#define IP_SEC_CBINDING_DATA_BUFSIZE 128
/* The types that this connected socket can have, in order of preference, with colons between and NUL. `size` in: room, out: what
   it takes, also with ERANGE and with null `names`. EACCES: nothing protects it. EOPNOTSUPP: what could be bound to could change,
   for it cannot be latched. CBA. */
int ipsec_cbinding_types(int fd, char *names, size_t *size);
/* The binding of this type in the form of RFC 5056, "type:data": equal at both ends of one connection under the same SAs, where one end
   says `initiator` 1 and the other 0; and to what Kerberos over the channel (mech_ipsec(7)) binds itself to. Latches the socket.
   It is public, and says nothing about who the peer is: what is bound to it does. `size` as above. EAGAIN: the SAs are being
   replaced; again after some seconds. EOPNOTSUPP: another type. <ipsec/ipsec_gss.h> makes it a gss_channel_bindings_t. CBA. */
int ipsec_cbinding_data(int fd, const char *type, int initiator, void *octets, size_t *size);

/* ---- Events (draft-komu-btns-api 2, in the shape of RFC 6458 6) -------------------------------------------------------- */

/* In msg_flags of ipsec_recvmsg(): what came is a struct ipsec_notification. The bit is SCTP's MSG_NOTIFICATION, whose types begin
   at 0x8001. */
#define IPSEC_MSG_NOTIFICATION 0x8000
enum ipsec_sn_type {
  IPSEC_SN_ALL = 0x7000, /* in a struct ipsec_event alone */
  IPSEC_SN_LATCH_CHANGE = 0x7001, /* sn_state, sn_reason */
  IPSEC_SN_REKEY = 0x7002,
  IPSEC_SN_SA_SOFT_EXPIRE = 0x7003,
  IPSEC_SN_PROTECTION_CHANGE = 0x7004, /* sn_reason: 0 protected from now on, or why no more */
  IPSEC_SN_IDENTITY_CHANGE = 0x7005,   /* sn_peer is somebody else, or the same proven otherwise */
  IPSEC_SN_LOCATOR_CHANGE = 0x7006,    /* MOBIKE, XFRM_MSG_MIGRATE */
  IPSEC_SN_NAT_MAPPING = 0x7007,
  IPSEC_SN_PEER_DEAD = 0x7008,         /* he does not answer the IKE daemon */
  IPSEC_SN_BROKER_DOWN = 0x700a,       /* the last one: subscribe anew. Always comes */
  IPSEC_SN_LOST = 0x700b               /* sn_missing events are missing here, 0 nobody can count them: ask again. Always comes */
};
struct ipsec_sn_header {
  uint16_t sn_type;   /* enum ipsec_sn_type */
  uint16_t sn_flags;  /* 0 */
  uint32_t sn_length; /* of the whole notification */
};
struct ipsec_notification {
  struct ipsec_sn_header sn_header;
  uint64_t sn_when;    /* nanoseconds since 1970 */
  uint32_t sn_state;   /* enum ipsec_latch_state */
  uint32_t sn_reason;  /* enum ipsec_err */
  uint32_t sn_missing;
  char sn_peer[276];   /* identity, "" unknown; as the IKE daemon has it, whether proven or not */
  char sn_text[256];   /* for people */
};
struct ipsec_event {
  uint16_t se_type; /* enum ipsec_sn_type */
  uint8_t se_on;    /* 1 wanted, 0 not (after IPSEC_SN_ALL) */
};
typedef struct ipsec_subscription *ipsec_subscription_t;

/* Tells what changes about a connected socket from now on. The subscription is of this process and user, for one thread at a time, and
   does not keep the socket. EINVAL: no such type, or none wanted. Other errors as ipsec_query(). */
int ipsec_event_subscribe(int fd, const struct ipsec_event *events, size_t count, ipsec_subscription_t *subscription);
/* For poll(2): readable when ipsec_event_next() has something. The subscription's own: do not read, close or keep it.
   ECONNREFUSED after the end. */
int ipsec_event_fd(ipsec_subscription_t subscription);
/* 1: the next event. 0: none now; never waits. After IPSEC_SN_BROKER_DOWN ECONNREFUSED. In a forked child EAGAIN: subscribe anew. */
int ipsec_event_next(ipsec_subscription_t subscription, struct ipsec_notification *event);
/* recvmsg(2) on the subscribed socket, which also wakes up for events and gives them first, each alone, with IPSEC_MSG_NOTIFICATION
   in msg_flags, and MSG_EOR where it is whole: the rest of one that is longer than the room comes with the next call. Waits
   where recvmsg(2) would; a SO_RCVTIMEO counts from the call, whatever wakes it up. MSG_WAITALL is not waited for, MSG_PEEK sees data alone. ESTALE: the descriptor is another socket. */
ssize_t ipsec_recvmsg(ipsec_subscription_t subscription, struct msghdr *message, int flags);
/* Null is no error. */
int ipsec_event_free(ipsec_subscription_t subscription);

#ifdef __cplusplus
}
#endif

#endif
