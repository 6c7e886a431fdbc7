// SPDX-License-Identifier: MIT
// ENDPOINT, RESOLVE: what endpoint descriptors stand for.
#include "protocol/layout.h"

namespace gssipsec::protocol {

template <typename Codec>
void layout(Codec& c, Of<channel::Address> auto& address) {
  c.address(address);
}

template <typename Codec>
void layout(Codec& c, Of<Endpoint> auto& m) {
  c.flag(m.local).flag(m.proven).name(m.identity).list(m.addresses);
}

template <typename Codec>
void layout(Codec& c, Of<EndpointRequest> auto& m) {
  layout(c, m.endpoint);
  c.choice(m.reuse, Reuse::user, Reuse::anybody);
}

template <typename Codec>
void layout(Codec& c, Of<EndpointReply> auto& m) {
  c.u32(m.value);
}

template <typename Codec>
void layout(Codec& c, Of<ResolveRequest> auto& m) {
  c.u32(m.value);
}

template <typename Codec>
void layout(Codec& c, Of<ResolveReply> auto& m) {
  layout(c, m.endpoint);
}

GSS_IPSEC_BODY(EndpointRequest, decode_endpoint_request)
GSS_IPSEC_BODY(EndpointReply, decode_endpoint_reply)
GSS_IPSEC_BODY(ResolveRequest, decode_resolve_request)
GSS_IPSEC_BODY(ResolveReply, decode_resolve_reply)

}  // namespace gssipsec::protocol
