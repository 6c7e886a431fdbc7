// SPDX-License-Identifier: MIT
// LATCH, UNLATCH, REQUIRE: a socket's latch without a context, and what is asked for before there is a connection.
#include "protocol/layout.h"

namespace gssipsec::protocol {

template <typename Codec>
void layout(Codec& c, Of<LatchRequest> auto& m) {
  c.address(m.peer);
}

template <typename Codec>
void layout(Codec& c, Of<LatchReply> auto& m) {
  layout(c, m.channel);
  c.code(m.why).prose(m.detail);
}

template <typename Codec>
void layout(Codec& c, Of<UnlatchRequest> auto& m) {
  c.u64(m.cookie);
}

template <typename Codec>
void layout(Codec& c, Of<RequireRequest> auto& m) {
  c.address(m.peer).u16(m.port).choice(m.level, Strength::any, Strength::high);
  c.flag(m.privacy).flag(m.replay).flag(m.authenticated).u16(m.key_bits);
}

template <typename Codec>
void layout(Codec& c, Of<RequireReply> auto& m) {
  c.flag(m.ready);
}

GSS_IPSEC_BODY(LatchRequest, decode_latch_request)
GSS_IPSEC_BODY(LatchReply, decode_latch_reply)
GSS_IPSEC_BODY(UnlatchRequest, decode_unlatch_request)
GSS_IPSEC_BODY(RequireRequest, decode_require_request)
GSS_IPSEC_BODY(RequireReply, decode_require_reply)

}  // namespace gssipsec::protocol
