/* SPDX-License-Identifier: MIT */
/* Channel bindings of a socket for GSS-API, whichever mechanism: what gss_init_sec_context() and gss_accept_sec_context() take.
   Inline: the library links no GSS-API. */
#ifndef IPSEC_IPSEC_GSS_H
#define IPSEC_IPSEC_GSS_H

#include <gssapi/gssapi.h>
#include <ipsec/ipsecapi.h>
#include <string.h>

struct ipsec_gss_bindings {
  struct gss_channel_bindings_struct bindings; /* pass its address; it points into `octets`, so do not copy it */
  unsigned char octets[IP_SEC_CBINDING_DATA_BUFSIZE];
};

/* Fills `out` for this end of the connection; the one that calls gss_init_sec_context() is the initiator. No addresses, as RFC 5554
   wants. Returns and fails as ipsec_cbinding_data(). An acceptor should look for GSS_C_CHANNEL_BOUND_FLAG: MIT krb5 takes an
   initiator that passes none. */
static inline int ipsec_gss_bindings(int fd, int initiator, struct ipsec_gss_bindings *out) {
  size_t size = sizeof out->octets;
  memset(out, 0, sizeof *out);
  out->bindings.initiator_addrtype = GSS_C_AF_UNSPEC;
  out->bindings.acceptor_addrtype = GSS_C_AF_UNSPEC;
  if (ipsec_cbinding_data(fd, IPSEC_CB_EXPORTER_NAME, initiator, out->octets, &size) != 0) return -1;
  out->bindings.application_data.length = size;
  out->bindings.application_data.value = out->octets;
  return 0;
}

#endif
