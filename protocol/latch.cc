// SPDX-License-Identifier: MIT
// LATCH and UNLATCH: a socket's latch without a context.
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

GSS_IPSEC_BODY(LatchRequest, decode_latch_request)
GSS_IPSEC_BODY(LatchReply, decode_latch_reply)
GSS_IPSEC_BODY(UnlatchRequest, decode_unlatch_request)

}  // namespace gssipsec::protocol
