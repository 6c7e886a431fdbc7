// SPDX-License-Identifier: MIT
// The family of HELLO and of questions that change nothing.
#include "protocol/layout.h"

namespace gssipsec::protocol {

template <typename Codec>
void layout(Codec& c, Of<HelloRequest> auto& m) {
  c.u16(m.oldest).u16(m.newest).prose(m.program);
}

template <typename Codec>
void layout(Codec& c, Of<HelloReply> auto& m) {
  c.u16(m.version).u64(m.broker_started).u32(m.slots).flag(m.has_policies);
}

template <typename Codec>
void layout(Codec& c, Of<QueryRequest> auto& m) {
  c.choice(m.found, Found::named, Found::preload);
}

template <typename Codec>
void layout(Codec& c, Of<QueryFlowRequest> auto& m) {
  layout(c, m.flow);
}

template <typename Codec>
void layout(Codec& c, Of<DirectionReport> auto& m) {
  c.flag(m.is_protected).code(m.why).prose(m.detail).prose(m.suite).prose(m.mode).u16(m.key_bits);
  c.flag(m.confidentiality).flag(m.integrity).flag(m.replay_protection).lines(m.sas, kMaxLine);
}

template <typename Codec>
void layout(Codec& c, Of<Report> auto& m) {
  c.flag(m.is_protected).code(m.why).prose(m.detail);
  layout(c, m.flow);
  layout(c, m.out);
  layout(c, m.in);
  c.name(m.local_id).name(m.peer_id).prose(m.local_method).prose(m.peer_method).flag(m.peer_authenticated);
  c.prose(m.ike_connection).prose(m.ike_source).flag(m.end_to_end).flag(m.latchable).prose(m.why_not_latchable);
  c.choice(m.latch, LatchState::none, LatchState::monitored).flag(m.since_start).flag(m.control_packets_protected);
}

template <typename Codec>
void layout(Codec& c, Of<SurveyRequest> auto& m) {
  c.choice(m.sight, Sight::connection, Sight::listener).address(m.peer).u16(m.port).address(m.local);
}

template <typename Codec>
void layout(Codec& c, Of<Locators> auto& m) {
  c.address(m.local).address(m.peer).u16(m.local_port).u16(m.peer_port);
}

template <typename Codec>
void layout(Codec& c, Of<SurveyReply> auto& m) {
  layout(c, m.report);
  layout(c, m.outer);
  c.flag(m.compressed).flag(m.options_covered);
}

template <typename Codec>
void layout(Codec& c, Of<LocatorsReply> auto& m) {
  c.list(m.pairs);
}

GSS_IPSEC_BODY(HelloRequest, decode_hello_request)
GSS_IPSEC_BODY(HelloReply, decode_hello_reply)
GSS_IPSEC_BODY(QueryRequest, decode_query_request)
GSS_IPSEC_BODY(QueryFlowRequest, decode_query_flow_request)
GSS_IPSEC_BODY(Report, decode_report)
GSS_IPSEC_BODY(SurveyRequest, decode_survey_request)
GSS_IPSEC_BODY(SurveyReply, decode_survey_reply)
GSS_IPSEC_BODY(LocatorsReply, decode_locators_reply)

}  // namespace gssipsec::protocol
