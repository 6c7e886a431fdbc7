// SPDX-License-Identifier: MIT
// The verbs that change nothing: HELLO, QUERY, PROBE, LOCALNAME, PROGRAM; and RELEASE.
#include <algorithm>
#include <set>

#include "broker/access.h"
#include "broker/fault.h"
#include "broker/handlers.h"

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;

// Before there is a connection this host's name is known only if all SAs agree on it.
std::string own_name(const Outline& view, const Caller& caller) {
  std::set<channel::Identity> identities;
  for (const SourceState& source : view.sources)
    for (const auto& [id, peer] : source.snapshot->peers) identities.insert(peer.local);
  if (identities.size() != 1) return {};
  const channel::Name name = name_of(*identities.begin(), caller);
  return name.kind == channel::Name::Kind::anonymous ? std::string() : format(name);
}

}  // namespace

base::Result<Answer> handle_hello(Core& core, const Request& request) {
  const auto hello = protocol::decode_hello_request(request.body);
  if (!hello) return hello.error();
  if (hello->oldest > protocol::kVersion || hello->newest < protocol::kOldestVersion)
    return fail(Code::PROTOCOL_VERSION, "the library speaks " + std::to_string(hello->oldest) + " to " + std::to_string(hello->newest) +
                                            ", the broker " + std::to_string(protocol::kOldestVersion) + " to " +
                                            std::to_string(protocol::kVersion));
  request.page->set_program(hello->program);
  request.page->tell(rule_for(*core.config(), hello->program).policy());
  protocol::HelloReply reply;
  reply.version = std::min(hello->newest, protocol::kVersion);
  reply.broker_started = core.started;
  reply.slots = protocol::kPageSlots;
  reply.has_policies = core.board.has_templates();
  return Answer{encode(reply), true};
}

base::Result<Answer> handle_query(Core& core, Bench& bench, const Request& request) {
  const auto query = protocol::decode_query_request(request.body);
  if (!query) return query.error();
  const auto seen = examine(core, request, &bench);
  if (!seen) return seen.error();
  return Answer{encode(report_of(core, *seen, request.caller.privileged))};
}

base::Result<Answer> handle_query_flow(Core& core, Bench& bench, const Request& request) {
  const auto query = protocol::decode_query_flow_request(request.body);
  if (!query) return query.error();
  const auto seen = examine_flow(core, request, query->flow, &bench);
  if (!seen) return seen.error();
  return Answer{encode(report_of(core, *seen, true))};
}

base::Result<Answer> handle_release(Core& core, const Request& request) {
  const auto release = protocol::decode_release_request(request.body);
  if (!release) return release.error();
  reached(FaultPoint::release_read);
  core.latches.release(request.page, {release->slot, release->generation});
  reached(FaultPoint::release_done);
  return Answer{};
}

base::Result<Answer> handle_probe(Core& core, const Request& request) {
  const auto probe = protocol::decode_probe_request(request.body);
  if (!probe) return probe.error();
  if (probe->role == channel::Role::acceptor && !probe->service.empty() && !may_serve(*core.config(), request.caller, probe->service))
    return fail(Code::SERVICE_DENIED, "no [[service]] line lets " + (request.caller.user.empty() ? "this user" : request.caller.user) +
                                          " serve " + probe->service);
  return Answer{encode(protocol::ProbeReply{core.board.has_templates(), own_name(core.board.outline(), request.caller)})};
}

base::Result<Answer> handle_localname(Core& core, const Request& request) {
  const auto asked = protocol::decode_localname_request(request.body);
  if (!asked) return asked.error();
  auto user = local_user(*core.config(), asked->name);
  if (!user) return user.error();
  return Answer{encode(protocol::LocalnameReply{std::move(*user)})};
}

}  // namespace gssipsec::broker
