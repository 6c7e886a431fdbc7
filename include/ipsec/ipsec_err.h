/* SPDX-License-Identifier: MIT */
/* The reasons that the sockets-layer IPsec API gives; included by <ipsec/ipsecapi.h>. */
#ifndef IPSEC_IPSEC_ERR_H
#define IPSEC_IPSEC_ERR_H

/* The numbers are those of GSS_IPSEC_E_... in <gss-ipsec/gss_ipsec.h> without their base, and never change. */
enum ipsec_err {
  /* no error */
  IPSEC_E_OK = 0,
  /* no IPsec policy covers this connection; add one to the SPD or start the IKE connection */
  IPSEC_E_NO_POLICY = 1,
  /* only one direction of this connection is protected; both directions need a policy */
  IPSEC_E_ONE_DIRECTION = 2,
  /* the policy lets packets pass in clear when there is no SA (level use); make it required */
  IPSEC_E_OPTIONAL_POLICY = 3,
  /* the policy asks for IPsec but no usable SA is there; check the IKE daemon */
  IPSEC_E_NO_SA = 4,
  /* a policy or socket option lets this connection bypass IPsec */
  IPSEC_E_BYPASS = 5,
  /* a policy blocks this connection */
  IPSEC_E_BLOCKED = 6,
  /* whether this connection is protected cannot be known now; unknown is not protected */
  IPSEC_E_UNKNOWN = 7,
  /* the protection is weaker than required */
  IPSEC_E_WEAK = 8,
  /* loopback and same-host connections are not IPsec */
  IPSEC_E_LOOPBACK = 9,
  /* the tunnel ends at a gateway, not at the peer itself */
  IPSEC_E_NOT_END_TO_END = 10,
  /* this connection can be watched but not latched */
  IPSEC_E_NOT_LATCHABLE = 11,
  /* the latch on this connection is broken: its protection changed after it was established */
  IPSEC_E_LATCH_BROKEN = 12,
  /* the latch on this connection cannot be confirmed now */
  IPSEC_E_LATCH_STALE = 13,
  /* it cannot be shown that this connection was protected since it began; latch before connecting or keep the policy in place first */
  IPSEC_E_STARTED_IN_CLEAR = 14,
  /* the kernel does not show the SA's keys (lockdown or manual SA without leave), so nothing can be bound to it */
  IPSEC_E_NO_KEYS = 15,
  /* the SA's keys or key exchange are too weak to bind to */
  IPSEC_E_WEAK_KEYS = 16,
  /* the SAs named by the peer's token are gone */
  IPSEC_E_SA_GONE = 17,
  /* contexts rest on the latch of this socket; delete them first */
  IPSEC_E_LATCH_IN_USE = 18,
  /* another user latched this socket */
  IPSEC_E_LATCH_OF_OTHER = 19,
  /* the broker knows no latch on this socket */
  IPSEC_E_NO_LATCH = 20,
  /* this socket has a policy of its own for another peer; use another socket */
  IPSEC_E_OWN_POLICY = 21,
  /* IKE did not authenticate one single peer; the peer can only be anonymous */
  IPSEC_E_PEER_UNAUTHENTICATED = 100,
  /* no source names the peer of these SAs */
  IPSEC_E_PEER_UNKNOWN = 101,
  /* the peer is not the one that was asked for */
  IPSEC_E_WRONG_PEER = 102,
  /* the acceptor may not use this service name; run it as root or add a line to the service map */
  IPSEC_E_SERVICE_DENIED = 103,
  /* the name cannot be read */
  IPSEC_E_BAD_NAME = 104,
  /* this name type is not supported by mechanism ipsec */
  IPSEC_E_NAME_TYPE = 105,
  /* the administrator's map gives this peer no local name */
  IPSEC_E_NO_LOCAL_NAME = 106,
  /* the peer is anonymous and the caller did not allow that */
  IPSEC_E_ANONYMOUS_REFUSED = 107,
  /* the token is broken */
  IPSEC_E_BAD_TOKEN = 200,
  /* the token has a version that is not supported */
  IPSEC_E_TOKEN_VERSION = 201,
  /* the token is longer than allowed */
  IPSEC_E_TOKEN_TOO_LONG = 202,
  /* the token was not made by the broker at the other end of this SA */
  IPSEC_E_BAD_MAC = 203,
  /* the token belongs to another connection */
  IPSEC_E_WRONG_FLOW = 204,
  /* the token does not continue this exchange */
  IPSEC_E_WRONG_TRANSCRIPT = 207,
  /* the application's channel bindings differ */
  IPSEC_E_BAD_BINDINGS = 208,
  /* the peer has not latched its socket */
  IPSEC_E_PEER_NOT_LATCHED = 209,
  /* the peer refused */
  IPSEC_E_PEER_REFUSED = 210,
  /* the peer asked for too many retries */
  IPSEC_E_TOO_MANY_RETRIES = 211,
  /* the token was made for the other role */
  IPSEC_E_WRONG_ROLE = 212,
  /* the message or its protection was changed */
  IPSEC_E_BAD_MIC = 213,
  /* the message is out of sequence */
  IPSEC_E_OUT_OF_SEQUENCE = 214,
  /* the initiator did not prove that the first token was made for it now; it may be an old one, sent again */
  IPSEC_E_NOT_CONFIRMED = 215,
  /* the offer to rely on the channel was not made by the acceptor of this context */
  IPSEC_E_SWITCH_FORGED = 216,
  /* the message relies on the channel, but the two ends of this context did not agree on that */
  IPSEC_E_NOT_SWITCHED = 217,
  /* ipsec-gssd cannot be reached; is it running? */
  IPSEC_E_NO_BROKER = 300,
  /* ipsec-gssd did not answer in time */
  IPSEC_E_BROKER_TIMEOUT = 301,
  /* the process that listens on the broker's socket is not the system's broker */
  IPSEC_E_FALSE_BROKER = 302,
  /* a message between library and broker is broken */
  IPSEC_E_BAD_MESSAGE = 303,
  /* library and broker share no version of their protocol */
  IPSEC_E_PROTOCOL_VERSION = 304,
  /* the broker is busy with other requests of this user */
  IPSEC_E_BUSY = 305,
  /* the broker's access policy does not allow this */
  IPSEC_E_NOT_ALLOWED = 306,
  /* the process changed its user since it connected to the broker */
  IPSEC_E_CREDENTIALS_CHANGED = 307,
  /* a limit of the broker is reached */
  IPSEC_E_LIMIT = 308,
  /* no socket was named and there is not exactly one connected socket to use */
  IPSEC_E_NO_SOCKET = 400,
  /* the descriptor is not a connected internet socket */
  IPSEC_E_NOT_A_SOCKET = 401,
  /* this kind of socket is not supported */
  IPSEC_E_UNSUPPORTED_SOCKET = 402,
  /* the socket is not connected */
  IPSEC_E_NOT_CONNECTED = 403,
  /* the socket belongs to another network namespace than the broker */
  IPSEC_E_OTHER_NAMESPACE = 404,
  /* the descriptor now names another connection than the context was made for */
  IPSEC_E_SOCKET_CHANGED = 405,
  /* the socket was made by another user */
  IPSEC_E_NOT_OWNER = 406,
  /* the socket is on the wrong side of a connection for this role */
  IPSEC_E_WRONG_SIDE = 407,
  /* the socket is connected already, or connecting, or it listens; ask before that */
  IPSEC_E_ALREADY_CONNECTED = 408,
  /* this endpoint descriptor stands for nothing that this user may use; make it anew: the broker may have been restarted, or it is another user's */
  IPSEC_E_NO_ENDPOINT = 409,
  /* internal error */
  IPSEC_E_INTERNAL = 500,
  /* an argument is not valid */
  IPSEC_E_BAD_ARGUMENT = 501,
  /* the security context is not established */
  IPSEC_E_NO_CONTEXT = 502,
  /* the operation is not available */
  IPSEC_E_UNAVAILABLE = 503,
  /* the quality of protection is not known */
  IPSEC_E_BAD_QOP = 504,
  /* the credential is not for this use */
  IPSEC_E_WRONG_USAGE = 505,
  /* out of memory */
  IPSEC_E_NO_MEMORY = 506,
  /* the context's lifetime is over; make a new context */
  IPSEC_E_EXPIRED = 507,
  /* the configuration is wrong */
  IPSEC_E_BAD_CONFIG = 600,
  /* the kernel's XFRM interface failed */
  IPSEC_E_NETLINK = 700,
  /* a netlink message is broken */
  IPSEC_E_NETLINK_MESSAGE = 701,
  /* the kernel dropped netlink messages */
  IPSEC_E_NETLINK_LOST = 702,
  /* the IKE daemon cannot be asked */
  IPSEC_E_IKE_SOURCE = 703,
  /* a message of the IKE daemon is broken */
  IPSEC_E_IKE_MESSAGE = 704,
  /* a system call failed */
  IPSEC_E_SYSTEM = 705
};

#endif
