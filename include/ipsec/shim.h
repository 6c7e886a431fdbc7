/* SPDX-License-Identifier: MIT */
/* Endpoint descriptors, and sockets of PF_SHIM: connections between ends, not addresses, which are under IPsec or are not there. Part
   of libipsecapi. A program that is not rewritten calls socket(2), connect(2) and so on as ever, and is started with
   libipsecshim-preload.so in LD_PRELOAD; one that links the library calls shim_socket() and so on.

     struct addrinfo hints = {.ai_flags = AI_ED, .ai_socktype = SOCK_STREAM}, *ends;
     if (shim_getaddrinfo("server.example.org", "7000", &hints, &ends) != 0) ...
     int fd = shim_socket(PF_SHIM, SOCK_STREAM, 0);
     if (shim_connect(fd, ends->ai_addr, ends->ai_addrlen) != 0) ...   not an octet leaves in clear, and he is whom IKE proved

   Names come from draft-komu-shim-native-api-00 (SNA) and RFC 6316 (section 6's options); EXT: ours.

   - What the kernel does as well is the system's: listen(), send(), recv(), poll(), shutdown(), close(). The descriptor is one of a TCP
     socket. TCP alone: nothing holds back a datagram socket that is not connected.
   - 0 is success, or a descriptor; -1 is failure, with errno, and with the reason in ipsec_get_error(). Outputs are written on success
     only. Any thread, at any time; fork() and dup() do no harm. After exec(), or passed to another process, a socket is plain TCP, latched as it was.
     A signal handler calls none of them, but where it interrupts one that waits for a connection.
   - A question to the broker waits 2 s at most. No broker: EAFNOSUPPORT from shim_socket(), EAI_FAMILY from shim_getaddrinfo(),
     ECONNREFUSED from all others but shim_accept(), which closes whom it cannot ask about. ipsecapi(3) lists what else all have in common; shim(3) says more. */
#ifndef IPSEC_SHIM_H
#define IPSEC_SHIM_H

#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>

#include <ipsec/ipsecapi.h>

#ifdef __cplusplus
extern "C" {
#endif

struct addrinfo;     /* strict C does not get them from */
struct if_nameindex; /* the headers above */

/* ---- Endpoint descriptors ------------------------------------------------------------------------------------------------ */

#define PF_SHIM 0x7e53 /* the kernel itself answers EAFNOSUPPORT to it */
#define AF_SHIM PF_SHIM

typedef uint32_t sa_ed_t;
/* Goes where a struct sockaddr does; longer lengths than its own are taken, too. */
struct sockaddr_ed {
  unsigned short int ed_family; /* AF_SHIM */
  in_port_t ed_port;            /* network byte order; may be changed */
  sa_ed_t ed_val;               /* network byte order */
};
/* A value stands for an end of connections: who (an identity, or anybody whom IKE proves), and at which addresses. The broker keeps what it
   stands for, until it is restarted, or its user makes 1,024 others; another user's means nothing (EADDRNOTAVAIL). So it is of no use to
   who guesses or finds it, or on another host. Two of one end may differ. */

#define SHIM_ED_ANY 0xffffff01u      /* for shim_bind(), host byte order: whoever comes under IPsec */
#define SHIM_ED_ANY_PUB 0xffffff02u  /* and IKE proved who he is */
#define SHIM_ED_ANY_ANON 0xffffff03u /* and IKE proved nobody */

/* Flags of hints: with one of them, or with ai_family PF_SHIM, shim_getaddrinfo() gives endpoint descriptors. */
#define AI_ED 0x00010000            /* of the peer at the addresses of that name: whom IKE proves there */
#define AI_ED_ANON 0x00020000       /* and if it proves nobody, whoever is under IPsec there */
#define AI_ED_NOLOCATORS 0x00040000 /* as AI_ED, which gives no addresses either: a list that is walked would end in clear */
#define AI_ED_ANY 0x00080000        /* without a name: the wildcards above */
#define AI_ED_ANY_PUB 0x00100000
#define AI_ED_ANY_ANON 0x00200000
#define AI_ED_RVS 0x00400000        /* nothing is behind it: EAI_SYSTEM and EOPNOTSUPP */

/* As getaddrinfo(3). A null name is AI_ED_ANY with AI_PASSIVE, EAI_NONAME without any of these; a name with AI_PASSIVE is an end of this
   host. EAI_SOCKTYPE: not SOCK_STREAM. EAI_SYSTEM: errno. Names are looked up as ever, in a DNS that may lie: who must be there is
   said with getpeered(). */
int shim_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found);
/* Of shim_getaddrinfo(), getlocaledinfo() and getpeeredinfo(). Null is no error. */
void shim_freeaddrinfo(struct addrinfo *list);

/* Who: an identity of IPsec, of `length` octets altogether, to be given back to free(3). */
typedef uint16_t se_length_t;
typedef uint16_t se_family_t;
struct endpoint {
  se_length_t length;
  se_family_t family; /* EF_IPSEC_ID: the identity's text with NUL follows */
};
#define EF_IPSEC_ID 3
/* EINVAL: no identity that is wanted or proven. EXT. */
int shim_endpoint_from_iToken(const ipsec_iToken_t identity, struct endpoint **endpoint);
/* A token that is wanted, not proven. EINVAL: no such endpoint. EXT. */
int shim_endpoint_to_iToken(const struct endpoint *endpoint, ipsec_iToken_t *identity);

#define SHIM_ED_REUSE_UID 1 /* other processes of this user may use it: they always may */
#define SHIM_ED_REUSE_GID 2 /* and those of this group, by the maker's effective one. Root's to give, as the next: EPERM */
#define SHIM_ED_REUSE_ANY 4 /* and everybody */
#define SHIM_ED_IPV4 8      /* of `addresses` these alone */
#define SHIM_ED_IPV6 16

/* An endpoint descriptor to be given back to free(3); null is failure. getlocaled(): this end, for shim_bind(); without `endpoint` as
   whom IKE likes, without `addresses` at all of this host's, otherwise at one; `interfaces` must be null (EOPNOTSUPP). getpeered(): a
   peer, for shim_connect(), who is at one of `addresses`; without `endpoint` whom IKE proves there. `service`: null, a number or a name.
   EINVAL: what cannot be. SNA 3.2. */
struct sockaddr_ed *getlocaled(const struct endpoint *endpoint, const char *service, const struct addrinfo *addresses,
                               const struct if_nameindex *interfaces, int flags);
struct sockaddr_ed *getpeered(const struct endpoint *endpoint, const char *service, const struct addrinfo *addresses, int flags);
/* What it stands for. Outputs may be null; `endpoint` is null for anybody, `addresses` for all of this host's, `interfaces` always is.
   EINVAL: one of the other kind, or a wildcard. SNA 3.2. */
int getlocaledinfo(const struct sockaddr_ed *ed, struct endpoint **endpoint, struct addrinfo **addresses, struct if_nameindex **interfaces);
int getpeeredinfo(const struct sockaddr_ed *ed, struct endpoint **endpoint, struct addrinfo **addresses);

/* ---- Sockets -------------------------------------------------------------------------------------------------------------- */

/* PF_SHIM and SOCK_STREAM (SOCK_NONBLOCK, SOCK_CLOEXEC), IPPROTO_TCP or 0; ESOCKTNOSUPPORT, EPROTONOSUPPORT otherwise. Another domain:
   socket(2). EAFNOSUPPORT: no broker. */
int shim_socket(int domain, int type, int protocol);
/* For all below: EINVAL for a socket that is not of shim_socket(), or accepted on one, in this process; EAFNOSUPPORT for an address
   that is not of AF_SHIM. shim_bind(): to an end of this host, or to a wildcard. */
int shim_bind(int fd, const struct sockaddr *address, socklen_t length);
/* ipsec_connect() to each of the peer's addresses until one is there. Is he another than he must be, or, where the socket is bound to an
   identity of this host, is it met as another: it is hung up (EACCES; ECONNABORTED instead of what says "call again", and ever after). On failure
   close the socket. A socket with O_NONBLOCK: EAGAIN while IKE negotiates (call again), then EINPROGRESS, of the first address where something
   begins; when poll(2) says that it can be written, shim_getsockopt() of SO_ERROR, or shim_connect() to the same end once more, compares who is
   there, as shim_getpeername() and the options of SOL_SHIM do: before that nothing is known of him but that it is under IPsec. EALREADY: it
   connects, or was begun with another end. */
int shim_connect(int fd, const struct sockaddr *address, socklen_t length);
/* A connection that was under IPsec since it began, by whom the socket is bound to; it is latched. Others are closed: ECONNABORTED and the
   reason, call again. `address` gets an endpoint descriptor of the peer; null is allowed. */
int shim_accept(int fd, struct sockaddr *address, socklen_t *length);
int shim_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
/* The end or wildcard that it is bound to, SHIM_ED_ANY where it is to none. */
int shim_getsockname(int fd, struct sockaddr *address, socklen_t *length);
/* Whom IKE proved there; getpeeredinfo() names him. Where nobody has compared him yet, it is done first, as with SO_ERROR. ENOTCONN: nobody
   is there yet; ECONNABORTED: who was there was refused. */
int shim_getpeername(int fd, struct sockaddr *address, socklen_t *length);

/* ---- Options ---------------------------------------------------------------------------------------------------------------- */

/* Of SOL_SHIM, on any TCP or UDP socket that is connected. Other levels: getsockopt(2), but that SO_DOMAIN is PF_SHIM, and SO_ERROR as with
   shim_connect(). ERANGE: *length is too short, and says what is wanted. EOPNOTSUPP: nothing is behind it. ENOPROTOOPT: no such option.
   ENOSHIMCONTEXT: the connection is not under IPsec. ENOTCONN, ECONNABORTED of a socket of
   shim_socket(): as shim_getpeername(). */
int shim_getsockopt(int fd, int level, int name, void *value, socklen_t *length);
/* All of SOL_SHIM: EOPNOTSUPP. */
int shim_setsockopt(int fd, int level, int name, const void *value, socklen_t length);

#define SOL_SHIM 0x5348
enum {
  SO_SHIM_CHALLENGE_SIZE = 1, /* SNA table 2. All but the two said: EOPNOTSUPP */
  SO_SHIM_SHIM_TRANSFORMS = 2,
  SO_SHIM_ESP_TRANSFORMS = 3,
  SO_SHIM_DH_GROUP_IDS = 4,
  SO_SHIM_SA_LIFETIME = 5,
  SO_SHIM_CTRL_RETRANS_INIT_TIMEOUT = 6,
  SO_SHIM_CTRL_RETRANS_INTERVAL = 7,
  SO_SHIM_CTRL_RETRANS_ATTEMPTS = 8,
  SO_SHIM_AF_FAMILY = 9, /* int: AF_INET or AF_INET6, of its packets */
  SO_SHIM_PIGGYPACK = 10,
  SO_SHIM_OPPORTUNISTIC = 11,
  SO_SHIM_NAT_TRAVERSAL = 12, /* int: 1 where ESP is in UDP */
  SHIM_ASSOCIATED = 0x101,    /* RFC 6316 6. int: 1 where a latch watches that it stays under IPsec, else 0 */
  SHIM_DONTSHIM = 0x102,      /* EOPNOTSUPP, as all but those said */
  SHIM_HOT_STANDBY = 0x103,
  SHIM_LOC_LOCAL_PREF = 0x104, /* struct shim_locator: the outer address from which its packets go */
  SHIM_LOC_PEER_PREF = 0x105,  /* and that to which they go */
  SHIM_LOC_LOCAL_RECV = 0x106,
  SHIM_LOC_PEER_RECV = 0x107,
  SHIM_LOC_LOCAL_SEND = 0x108,
  SHIM_LOC_PEER_SEND = 0x109,
  SHIM_LOCLIST_LOCAL = 0x10a, /* struct shim_locator[]: all, while SAs are replaced or move */
  SHIM_LOCLIST_PEER = 0x10b,
  SHIM_APP_TIMEOUT = 0x10c,
  SHIM_FEEDBACK_POSITIVE = 0x10d,
  SHIM_FEEDBACK_NEGATIVE = 0x10e,
  SHIM_PATHEXPLORE = 0x10f,
  SHIM_CONTEXT_DEFERRED_SETUP = 0x110,
  SHIM_IF_RECV = 0x111,
  SHIM_IF_SEND = 0x112,
  SHIM_SECURITY = 0x202 /* struct ipsec_security_info, as ipsec_query(). EXT */
};
/* No errno of the system's: strerror() does not know it. */
#define ENOSHIMCONTEXT 1001

/* Members have RFC 6316's names. */
struct shim_locator {
  uint8_t lc_family; /* AF_INET, AF_INET6 */
  uint8_t lc_proto;  /* IPPROTO_UDP where ESP is in it, else IPPROTO_ESP; 0 in what is no locator */
  uint16_t lc_port;  /* of UDP, network byte order */
  uint16_t lc_flags; /* 0 */
  uint16_t lc_pref;  /* 0: the first is used */
  uint32_t lc_ifidx; /* 0 */
  struct in6_addr lc_addr; /* IPv4 as ::ffff:a.b.c.d */
};

#ifdef __cplusplus
}
#endif
#endif
