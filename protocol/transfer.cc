// SPDX-License-Identifier: MIT
// Contexts that go to another process: HAND_OVER, TAKE_OVER, and what they go as.
#include "protocol/layout.h"

namespace gssipsec::protocol {

template <typename Codec>
void layout(Codec& c, Of<HandOverRequest> auto& m) {
  c.u64(m.cookie);
}

template <typename Codec>
void layout(Codec& c, Of<HandOverReply> auto& m) {
  c.digest(m.id).key(m.key);
}

template <typename Codec>
void layout(Codec& c, Of<TakeOverRequest> auto& m) {
  c.u64(m.cookie).digest(m.id);
}

template <typename Codec>
void layout(Codec& c, Of<TakeOverReply> auto& m) {
  layout(c, m.channel);
  c.key(m.key);
}

template <typename Codec>
void layout(Codec& c, Of<ContextState> auto& m) {
  c.choice(m.role, channel::Role::initiator, channel::Role::acceptor).flag(m.bound).flag(m.initiator_asked_mutual).u64(m.expires);
  c.digest(m.id).u64(m.sent).u64(m.next).u64(m.seen);
  c.name(m.local_name).name(m.peer_name).names(m.peer_services, kMaxService).key(m.key);
}

GSS_IPSEC_BODY(HandOverRequest, decode_hand_over_request)
GSS_IPSEC_BODY(HandOverReply, decode_hand_over_reply)
GSS_IPSEC_BODY(TakeOverRequest, decode_take_over_request)
GSS_IPSEC_BODY(TakeOverReply, decode_take_over_reply)
GSS_IPSEC_BODY(ContextState, decode_context_state)

}  // namespace gssipsec::protocol
