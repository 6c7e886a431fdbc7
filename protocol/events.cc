// SPDX-License-Identifier: MIT
#include "protocol/events.h"

#include "protocol/layout.h"

namespace gssipsec::protocol {

template <typename Codec>
void layout(Codec& c, Of<SubscribeRequest> auto& m) {
  c.bits(m.types, kAllEvents).choice(m.scope, Scope::socket, Scope::all);
}

template <typename Codec>
void layout(Codec& c, Of<SubscribeReply> auto& m) {
  c.u32(m.subscription).u64(m.cookie).flag(m.is_protected);
}

template <typename Codec>
void layout(Codec& c, Of<UnsubscribeRequest> auto& m) {
  c.u32(m.subscription);
}

template <typename Codec>
void layout(Codec& c, Of<Event> auto& m) {
  c.choice(m.type, kFirstEvent, kLastEvent).u32(m.subscription).u64(m.when).u64(m.cookie);
  layout(c, m.flow);
  c.code(m.code).name(m.peer).prose(m.detail).u32(m.missing).lines(m.sas, kMaxLine);
}

template <typename Codec>
void layout(Codec& c, Of<MetricsReply> auto& m) {
  c.document(m.text);
}

template <typename Codec>
void layout(Codec& c, Of<ExplainRequest> auto& m) {
  bool bare = m.flow.has_value();
  c.choice(m.found, Found::named, Found::preload).flag(bare);
  if constexpr (std::same_as<Codec, In>) {
    if (bare) m.flow.emplace();
  }
  if (bare) layout(c, *m.flow);
}

template <typename Codec>
void layout(Codec& c, Of<ExplainReply> auto& m) {
  c.flag(m.is_protected).document(m.steps);
}

template <typename Codec>
void layout(Codec& c, Of<MirrorReply> auto& m) {
  c.flag(m.same).u32(m.sas).u32(m.policies).document(m.differences);
}

template <typename Codec>
void layout(Codec& c, Of<LatchesRequest> auto& m) {
  c.u64(m.after);
}

template <typename Codec>
void layout(Codec& c, Of<HeldLatch> auto& m) {
  c.u64(m.cookie).choice(m.state, LatchState::none, LatchState::monitored);
  layout(c, m.flow);
  c.u32(m.owner);
}

template <typename Codec>
void layout(Codec& c, Of<LatchesReply> auto& m) {
  c.list(m.latches).flag(m.more);
}

GSS_IPSEC_BODY(SubscribeRequest, decode_subscribe_request)
GSS_IPSEC_BODY(SubscribeReply, decode_subscribe_reply)
GSS_IPSEC_BODY(UnsubscribeRequest, decode_unsubscribe_request)
GSS_IPSEC_BODY(Event, decode_event)
GSS_IPSEC_BODY(MetricsReply, decode_metrics_reply)
GSS_IPSEC_BODY(ExplainRequest, decode_explain_request)
GSS_IPSEC_BODY(ExplainReply, decode_explain_reply)
GSS_IPSEC_BODY(MirrorReply, decode_mirror_reply)
GSS_IPSEC_BODY(LatchesRequest, decode_latches_request)
GSS_IPSEC_BODY(LatchesReply, decode_latches_reply)

const char* event_type_name(EventType type) noexcept {
  switch (type) {
    case EventType::rekeyed: return "rekeyed";
    case EventType::migrated: return "migrated";
    case EventType::nat_mapping: return "nat-mapping";
    case EventType::expiring: return "expiring";
    case EventType::peer_dead: return "peer-dead";
    case EventType::latch_broken: return "latch-broken";
    case EventType::latch_restored: return "latch-restored";
    case EventType::identity_changed: return "identity-changed";
    case EventType::lost: return "lost";
    case EventType::protection: return "protection";
  }
  return "unknown";
}

}  // namespace gssipsec::protocol
