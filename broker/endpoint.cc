// SPDX-License-Identifier: MIT
// ENDPOINT and RESOLVE: what endpoint descriptors stand for, kept by user. LOCATORS: where a connection's packets go outside.
#include <algorithm>
#include <cstring>

#include "broker/handlers.h"

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;
using protocol::Endpoint;
using protocol::Locators;

std::uint32_t by_chance() {
  const channel::Digest octets = random_digest();
  std::uint32_t value = 0;
  std::memcpy(&value, octets.data(), sizeof value);
  return value;
}

EndpointUser user_of(const Request& request) { return {request.caller.uid, request.groups}; }

// A text in its one form: what an end is later compared with.
base::Status in_order(const Request& request, const protocol::EndpointRequest& asked) {
  const Endpoint& endpoint = asked.endpoint;
  if (!endpoint.identity.empty()) {
    const auto identity = channel::parse_identity(endpoint.identity);
    if (!identity) return identity.error();
    if (format(*identity) != endpoint.identity) return fail(Code::BAD_NAME, "wanted " + format(*identity) + ", found " + endpoint.identity);
  }
  const auto nowhere = [](const channel::Address& address) { return address.is_any(); };
  if (std::ranges::any_of(endpoint.addresses, nowhere) || (!endpoint.local && endpoint.addresses.empty()))
    return fail(Code::BAD_ARGUMENT, "wanted the addresses of a host");
  // Whoever takes up a value of another user's after a restart would be led where that user likes.
  if (asked.reuse != protocol::Reuse::user && !request.caller.privileged)
    return fail(Code::NOT_ALLOWED, "endpoint descriptors for other users are root's to make");
  return {};
}

void add(std::vector<Locators>& pairs, const Locators& pair) {
  if (std::ranges::find(pairs, pair) == pairs.end() && pairs.size() < protocol::kMaxList) pairs.push_back(pair);
}

}  // namespace

base::Result<Answer> handle_endpoint(Core& core, const Request& request) {
  auto asked = protocol::decode_endpoint_request(request.body);
  if (!asked) return asked.error();
  const base::Status status = in_order(request, *asked);
  if (!status.ok()) return status.error();
  return Answer{encode(protocol::EndpointReply{core.endpoints.add(user_of(request), *std::move(asked), by_chance)})};
}

base::Result<Answer> handle_resolve(Core& core, const Request& request) {
  const auto asked = protocol::decode_resolve_request(request.body);
  if (!asked) return asked.error();
  auto endpoint = core.endpoints.find(asked->value, user_of(request));
  if (!endpoint) return endpoint.error();
  return Answer{encode(protocol::ResolveReply{*std::move(endpoint)})};
}

base::Result<Answer> handle_locators(Core& core, const Request& request) {
  if (!request.body.empty()) return fail(Code::BAD_MESSAGE, "LOCATORS has no body");
  const auto seen = examine(core, request);
  if (!seen) return seen.error();
  const channel::Verdict& verdict = seen->assessment.verdict;
  if (!verdict.is_protected) return verdict.why_not;
  protocol::LocatorsReply reply;
  for (const channel::Sa& sa : verdict.out.carriers) add(reply.pairs, locators_of(sa, channel::Direction::out));
  return Answer{encode(reply)};
}

}  // namespace gssipsec::broker
