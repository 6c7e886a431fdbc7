// SPDX-License-Identifier: MIT
// What a latch was, and the family of short questions: CHECK, RELEASE, PROBE, LOCALNAME.
#include "protocol/layout.h"

namespace gssipsec::protocol {

template <typename Codec>
void layout(Codec& c, Of<LatchStatement> auto& m) {
  constexpr auto kFirst = channel::AuthMethod::unknown, kLast = channel::AuthMethod::manual;
  c.u16(m.version).u64(m.broker);
  layout(c, m.flow);
  c.name(m.local_id).name(m.peer_id).choice(m.local_method, kFirst, kLast).choice(m.peer_method, kFirst, kLast);
  c.flag(m.peer_fixed).flag(m.negotiated).u64(m.ike_sa).name(m.source);
  c.choice(m.mode, channel::Mode::transport, channel::Mode::other);
  c.flag(m.integrity).flag(m.confidentiality).flag(m.replay_protection).u16(m.key_bits).prose(m.suite);
}

template <typename Codec>
void layout(Codec& c, Of<CheckRequest> auto& m) {
  c.u32(m.slot).u32(m.generation).u64(m.cookie).sealed(m.statement);
}

template <typename Codec>
void layout(Codec& c, Of<CheckReply> auto& m) {
  c.choice(m.state, LatchState::none, LatchState::monitored).code(m.why).prose(m.detail).u32(m.slot).u32(m.generation);
}

template <typename Codec>
void layout(Codec& c, Of<ReleaseRequest> auto& m) {
  c.u32(m.slot).u32(m.generation);
}

template <typename Codec>
void layout(Codec& c, Of<ProbeRequest> auto& m) {
  c.choice(m.role, channel::Role::initiator, channel::Role::acceptor).name(m.service, kMaxService);
}

template <typename Codec>
void layout(Codec& c, Of<ProbeReply> auto& m) {
  c.flag(m.has_policies).name(m.local_name);
}

template <typename Codec>
void layout(Codec& c, Of<LocalnameRequest> auto& m) {
  c.name(m.name);
}

template <typename Codec>
void layout(Codec& c, Of<LocalnameReply> auto& m) {
  c.name(m.user);
}

GSS_IPSEC_BODY(LatchStatement, decode_latch_statement)
GSS_IPSEC_BODY(CheckRequest, decode_check_request)
GSS_IPSEC_BODY(CheckReply, decode_check_reply)
GSS_IPSEC_BODY(ReleaseRequest, decode_release_request)
GSS_IPSEC_BODY(ProbeRequest, decode_probe_request)
GSS_IPSEC_BODY(ProbeReply, decode_probe_reply)
GSS_IPSEC_BODY(LocalnameRequest, decode_localname_request)
GSS_IPSEC_BODY(LocalnameReply, decode_localname_reply)

}  // namespace gssipsec::protocol
