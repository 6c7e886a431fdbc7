// SPDX-License-Identifier: MIT
// The family that makes contexts: INITIATE, ACCEPT.
#include "protocol/layout.h"

namespace gssipsec::protocol {

template <typename Codec>
void layout(Codec& c, Of<InitiateRequest> auto& m) {
  c.choice(m.found, Found::named, Found::preload).want(m.want).name(m.wanted);
  c.digest(m.bindings).digest(m.transcript);
}

template <typename Codec>
void layout(Codec& c, Of<InitiateReply> auto& m) {
  c.sealed(m.sealed);
  layout(c, m.channel);
  c.key(m.handshake_key);
}

template <typename Codec>
void layout(Codec& c, Of<AcceptRequest> auto& m) {
  c.choice(m.found, Found::named, Found::preload).want(m.want).name(m.service, kMaxService).sealed(m.sealed);
  c.digest(m.bindings).flag(m.has_bindings).digest(m.transcript).digest(m.next_transcript);
}

// RETRY carries nothing that could be taken for a context.
template <typename Codec>
void layout(Codec& c, Of<AcceptReply> auto& m) {
  c.flag(m.retry);
  if (m.retry) return;
  c.sealed(m.sealed).want(m.initiator_wants).flag(m.bindings_match);
  layout(c, m.channel);
  c.key(m.session_key);
}

GSS_IPSEC_BODY(InitiateRequest, decode_initiate_request)
GSS_IPSEC_BODY(InitiateReply, decode_initiate_reply)
GSS_IPSEC_BODY(AcceptRequest, decode_accept_request)
GSS_IPSEC_BODY(AcceptReply, decode_accept_reply)

}  // namespace gssipsec::protocol
