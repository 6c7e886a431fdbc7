// SPDX-License-Identifier: MIT
// One function a verb: body in, body out. Workers only. They may throw std::bad_alloc; dispatch() turns that and all
// else into an error.
#pragma once

#include "base/unique_fd.h"
#include "broker/examine.h"
#include "broker/workers.h"

namespace gssipsec::broker {

struct Answer {
  base::Bytes body;
  bool page = false;  // send the page's descriptor with it
};

[[nodiscard]] base::Result<Answer> handle_hello(Core& core, const Request& request);
[[nodiscard]] base::Result<Answer> handle_query(Core& core, Bench& bench, const Request& request);
[[nodiscard]] base::Result<Answer> handle_query_flow(Core& core, Bench& bench, const Request& request);
[[nodiscard]] base::Result<Answer> handle_survey(Core& core, Bench& bench, const Request& request);
[[nodiscard]] base::Result<Answer> handle_initiate(Core& core, Bench& bench, const Request& request);
[[nodiscard]] base::Result<Answer> handle_accept(Core& core, Bench& bench, const Request& request);
[[nodiscard]] base::Result<Answer> handle_bind(Core& core, Bench& bench, const Request& request);
[[nodiscard]] base::Result<Answer> handle_binding(Core& core, Bench& bench, const Request& request);
[[nodiscard]] base::Result<Answer> handle_bound(Core& core, const Request& request);
[[nodiscard]] base::Result<Answer> handle_check(Core& core, const Request& request);
[[nodiscard]] base::Result<Answer> handle_latch(Core& core, const Request& request);
[[nodiscard]] base::Result<Answer> handle_unlatch(Core& core, const Request& request);
[[nodiscard]] base::Result<Answer> handle_require(Core& core, const Request& request);
[[nodiscard]] base::Result<Answer> handle_endpoint(Core& core, const Request& request);
[[nodiscard]] base::Result<Answer> handle_resolve(Core& core, const Request& request);
[[nodiscard]] base::Result<Answer> handle_locators(Core& core, const Request& request);
[[nodiscard]] base::Result<Answer> handle_latches(Core& core, const Request& request);
[[nodiscard]] base::Result<Answer> handle_release(Core& core, const Request& request);
[[nodiscard]] base::Result<Answer> handle_probe(Core& core, const Request& request);
[[nodiscard]] base::Result<Answer> handle_localname(Core& core, const Request& request);
[[nodiscard]] base::Result<Answer> handle_hand_over(Core& core, const Request& request);
[[nodiscard]] base::Result<Answer> handle_take_over(Core& core, const Request& request);

[[nodiscard]] base::Result<Answer> handle_subscribe(Core& core, const Request& request);
[[nodiscard]] base::Result<Answer> handle_unsubscribe(Core& core, const Request& request);
[[nodiscard]] base::Result<Answer> handle_metrics(Core& core, const Request& request);
[[nodiscard]] base::Result<Answer> handle_explain(Core& core, Bench& bench, const Request& request);
[[nodiscard]] base::Result<Answer> handle_mirror(Core& core, Bench& bench, const Request& request);

[[nodiscard]] base::Result<Answer> dispatch(Core& core, Bench& bench, protocol::Verb verb, const Request& request);

}  // namespace gssipsec::broker
