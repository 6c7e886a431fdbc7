// SPDX-License-Identifier: MIT
// The family of short questions: CHECK, RELEASE, PROBE, LOCALNAME.
#include "protocol/layout.h"

namespace gssipsec::protocol {

template <typename Codec>
void layout(Codec& c, Of<CheckRequest> auto& m) {
  c.u32(m.slot).u32(m.generation).u64(m.cookie);
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

GSS_IPSEC_BODY(CheckRequest, decode_check_request)
GSS_IPSEC_BODY(CheckReply, decode_check_reply)
GSS_IPSEC_BODY(ReleaseRequest, decode_release_request)
GSS_IPSEC_BODY(ProbeRequest, decode_probe_request)
GSS_IPSEC_BODY(ProbeReply, decode_probe_reply)
GSS_IPSEC_BODY(LocalnameRequest, decode_localname_request)
GSS_IPSEC_BODY(LocalnameReply, decode_localname_reply)

}  // namespace gssipsec::protocol
