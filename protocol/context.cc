// SPDX-License-Identifier: MIT
// The family that makes contexts: INITIATE, ACCEPT; and BIND, for those of another mechanism.
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

template <typename Codec>
void layout(Codec& c, Of<BindRequest> auto& m) {
  c.choice(m.found, Found::named, Found::preload).choice(m.role, channel::Role::initiator, channel::Role::acceptor);
}

template <typename Codec>
void layout(Codec& c, Of<BindingRequest> auto& m) {
  c.choice(m.role, channel::Role::initiator, channel::Role::acceptor);
}

template <typename Codec>
void layout(Codec& c, Of<BindReply> auto& m) {
  c.choice(m.use, KerberosUse::off, KerberosUse::skip);
  if (m.use == KerberosUse::off) return;
  c.code(m.why).prose(m.detail);
  layout(c, m.channel);
  c.key(m.binding);
}

template <typename Codec>
void layout(Codec& c, Of<BoundBefore> auto& m) {
  c.choice(m.role, channel::Role::initiator, channel::Role::acceptor).choice(m.found, Found::named, Found::preload).prose(m.program).u64(m.time);
  c.choice(m.use, KerberosUse::off, KerberosUse::skip).code(m.why).prose(m.detail);
}

template <typename Codec>
void layout(Codec& c, Of<BoundRequest> auto& m) {
  c.name(m.program);
}

template <typename Codec>
void layout(Codec& c, Of<BoundReply> auto& m) {
  bool before = m.before.has_value();
  c.choice(m.kerberos, KerberosUse::off, KerberosUse::skip).flag(m.without_ticket).flag(m.ipsec_first).u16(m.min_key_bits).flag(before);
  if constexpr (std::same_as<Codec, In>) {
    if (before) m.before.emplace();
  }
  if (before) layout(c, *m.before);
}

GSS_IPSEC_BODY(BoundRequest, decode_bound_request)
GSS_IPSEC_BODY(BoundReply, decode_bound_reply)
GSS_IPSEC_BODY(BindRequest, decode_bind_request)
GSS_IPSEC_BODY(BindReply, decode_bind_reply)
GSS_IPSEC_BODY(BindingRequest, decode_binding_request)
GSS_IPSEC_BODY(InitiateRequest, decode_initiate_request)
GSS_IPSEC_BODY(InitiateReply, decode_initiate_reply)
GSS_IPSEC_BODY(AcceptRequest, decode_accept_request)
GSS_IPSEC_BODY(AcceptReply, decode_accept_reply)

}  // namespace gssipsec::protocol
