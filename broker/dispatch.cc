// SPDX-License-Identifier: MIT
#include <exception>
#include <new>

#include "broker/handlers.h"

namespace gssipsec::broker {
namespace {

using protocol::Verb;

base::Result<Answer> route(Core& core, Bench& bench, Verb verb, const Request& request) {
  switch (verb) {
    case Verb::hello: return handle_hello(core, request);
    case Verb::query: return handle_query(core, bench, request);
    case Verb::query_flow: return handle_query_flow(core, bench, request);
    case Verb::initiate: return handle_initiate(core, bench, request);
    case Verb::accept: return handle_accept(core, bench, request);
    case Verb::check: return handle_check(core, request);
    case Verb::release: return handle_release(core, request);
    case Verb::probe: return handle_probe(core, request);
    case Verb::localname: return handle_localname(core, request);
    case Verb::subscribe: return handle_subscribe(core, request);
    case Verb::unsubscribe: return handle_unsubscribe(core, request);
    case Verb::event: break;  // the broker's word alone
    case Verb::metrics: return handle_metrics(core, request);
    case Verb::explain: return handle_explain(core, bench, request);
    case Verb::latch: return handle_latch(core, request);
    case Verb::unlatch: return handle_unlatch(core, request);
    case Verb::bind: return handle_bind(core, bench, request);
    case Verb::binding: return handle_binding(core, bench, request);
    case Verb::bound: return handle_bound(core, request);
    case Verb::mirror: return handle_mirror(core, bench, request);
    case Verb::survey: return handle_survey(core, bench, request);
    case Verb::require: return handle_require(core, request);
    case Verb::endpoint: return handle_endpoint(core, request);
    case Verb::resolve: return handle_resolve(core, request);
    case Verb::locators: return handle_locators(core, request);
    case Verb::latches: return handle_latches(core, request);
    case Verb::hand_over: return handle_hand_over(core, request);
    case Verb::take_over: return handle_take_over(core, request);
  }
  return base::fail(base::Code::BAD_MESSAGE, "unknown verb " + std::to_string(static_cast<unsigned>(verb)));
}

}  // namespace

base::Result<Answer> dispatch(Core& core, Bench& bench, Verb verb, const Request& request) {
  try {
    const base::Status may = may_ask(core.config()->rights, verb, request.caller.uid, request.groups);
    if (!may.ok()) return may.error();
    return route(core, bench, verb, request);
  } catch (const std::bad_alloc&) {
    return base::fail(base::Code::NO_MEMORY);
  } catch (const std::exception& error) {
    return base::fail(base::Code::INTERNAL, error.what());
  }
}

}  // namespace gssipsec::broker
