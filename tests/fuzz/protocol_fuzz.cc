// SPDX-License-Identifier: MIT
// The broker's messages: the first octet selects the parser. What decodes must encode to the same octets.
#include <cstdlib>
#include <span>

#include "protocol/events.h"

using namespace gssipsec;

namespace {

template <typename T>
void check(base::View body, base::Result<T> (*decode)(base::View)) {
  const auto got = decode(body);
  if (got.ok() && protocol::encode(*got) != base::Bytes(body.begin(), body.end())) abort();
}

void check_frame(base::View datagram) {
  const auto frame = protocol::decode_frame(datagram);
  if (!frame) return;
  (void)protocol::error_of(*frame);
  if (protocol::encode(frame->header, frame->body) != base::Bytes(datagram.begin(), datagram.end())) abort();
}

template <typename... Decoders>
void dispatch(std::size_t which, base::View body, Decoders... decoders) {
  std::size_t index = 0;
  ((index++ == which ? check(body, decoders) : void()), ...);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace protocol;
  if (size == 0) return 0;
  const base::View body = std::as_bytes(std::span(data, size)).subspan(1);
  if (data[0] == 0) return check_frame(body), 0;
  dispatch(data[0] - std::size_t{1}, body, decode_hello_request, decode_hello_reply, decode_query_request, decode_query_flow_request,
           decode_report, decode_initiate_request, decode_initiate_reply, decode_accept_request, decode_accept_reply,
           decode_check_request, decode_check_reply, decode_release_request,
           decode_probe_request, decode_probe_reply, decode_localname_request, decode_localname_reply,
           decode_subscribe_request, decode_subscribe_reply, decode_unsubscribe_request, decode_event, decode_metrics_reply,
           decode_explain_request, decode_explain_reply, decode_latch_statement, decode_latch_request, decode_latch_reply, decode_unlatch_request,
           decode_mirror_reply, decode_latches_request, decode_latches_reply, decode_bind_request, decode_bind_reply, decode_require_request, decode_require_reply,
           decode_hand_over_request, decode_hand_over_reply, decode_take_over_request, decode_take_over_reply, decode_context_state, decode_binding_request, decode_bound_request, decode_bound_reply,
           decode_survey_request, decode_survey_reply, decode_endpoint_request, decode_endpoint_reply, decode_resolve_request, decode_resolve_reply,
           decode_locators_reply);
  return 0;
}
