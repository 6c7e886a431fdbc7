// SPDX-License-Identifier: MIT
// SURVEY: what QUERY says and more, of a connection; what one would have that is not made yet; what can be said of a datagram that
// came. It tells nobody more than connect(2) of a datagram socket, which sends nothing, and QUERY would.
#include <netinet/in.h>

#include <algorithm>

#include "broker/handlers.h"

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;
using protocol::Locators;
using protocol::Sight;
using protocol::SurveyReply;
using protocol::SurveyRequest;

// While a peer moves his SAs have two.
Locators common(const channel::Verdict& verdict) {
  std::vector<Locators> all;
  for (const auto& [way, direction] : {std::pair(&verdict.out, channel::Direction::out), std::pair(&verdict.in, channel::Direction::in)})
    for (const channel::Sa& sa : way->carriers) all.push_back(locators_of(sa, direction));
  const bool one = !all.empty() && std::ranges::all_of(all, [&all](const Locators& other) { return other == all.front(); });
  return one ? all.front() : Locators{};
}

template <typename Holds>
bool any_template(const channel::OneWay& way, Holds holds) {
  return way.policy && std::ranges::any_of(way.policy->templates, holds);
}
bool compresses(const channel::Template& entry) { return entry.protocol == channel::kProtoComp; }
// AH proves the IP header, a tunnel all of the inner packet.
bool covers_options(const channel::Template& entry) {
  return entry.protocol == channel::kProtoAh || (entry.protocol == channel::kProtoEsp && entry.mode == channel::Mode::tunnel);
}

// One that is not connected yet: what it would have. It has had nothing yet.
base::Result<Case> prospect(Core& core, Bench& bench, const Request& request, const SurveyRequest& asked) {
  const auto socket = passed_new_socket(core, request);
  if (!socket) return socket.error();
  kernel::SocketFacts facts = *socket;
  if (asked.peer.family == channel::Family::none || (!facts.flow.on_ipv6_socket && asked.peer.family != channel::Family::ipv4))
    return fail(Code::BAD_ARGUMENT, "wanted the address of a peer in the family of the socket");
  if (facts.flow.local.family != asked.peer.family && !facts.flow.local.is_any())
    return fail(Code::BAD_ARGUMENT, "wanted the address of a peer in the family that the socket is bound to");
  if (facts.flow.local.family != asked.peer.family) facts.flow.local = {asked.peer.family, {}};
  auto seen = examine_towards(core, request, facts, asked.peer, asked.port, &bench);
  if (seen.ok()) seen->socket.cookie = 0;
  return seen;
}

// To whose SAs a socket that takes packets from many is latched.
std::optional<channel::Address> latched_to(Core& core, const kernel::SocketFacts& socket) {
  const auto latch = socket.listening ? core.latches.find(socket.cookie, socket.flow) : std::nullopt;
  return latch ? std::optional(latch->flow.remote) : std::nullopt;
}

bool comes_from(const kernel::SocketFacts& socket, const SurveyRequest& asked) {
  return !socket.listening && socket.flow.remote == asked.peer && socket.flow.remote_port == asked.port;
}

// A socket's own policy stands in the place of the SPD's: it takes what came under its peer's SAs, whatever source is written in it.
base::Status judged_alike(const Core& core, const Case& seen) {
  const auto in = channel::latch_templates(seen.assessment.verdict.in, seen.socket.flow, channel::Direction::in, false);
  return core.own_policies.always(seen.socket.cookie, in ? *in : std::vector<channel::Template>());
}

base::Result<Case> come_to(Core& core, Bench& bench, const Request& request, const SurveyRequest& asked, kernel::SocketFacts socket) {
  if (asked.local.family != channel::Family::none) socket.flow.local = asked.local;
  if (socket.flow.local.family != asked.peer.family || socket.flow.local.is_any())
    return fail(Code::BAD_ARGUMENT, "wanted the address that the datagram came to, of the family of its source; the socket has none of its own: IP_PKTINFO");
  return examine_towards(core, request, socket, asked.peer, asked.port, &bench);
}

base::Result<Case> datagram(Core& core, Bench& bench, const Request& request, const SurveyRequest& asked) {
  const auto socket = passed_socket(core, request);
  if (!socket) return socket.error();
  if (socket->flow.protocol != IPPROTO_UDP) return fail(Code::UNSUPPORTED_SOCKET, "wanted a datagram socket");
  auto seen = comes_from(*socket, asked) ? examine(core, request, &bench) : come_to(core, bench, request, asked, *socket);
  if (!seen) return seen;
  const base::Status alike = judged_alike(core, *seen);
  if (!alike.ok()) seen->assessment.verdict.is_protected = false, seen->assessment.verdict.why_not = alike.error();
  return seen;
}

base::Result<Case> listener(Core& core, Bench& bench, const Request& request) {
  const auto socket = passed_socket(core, request);
  if (!socket) return socket.error();
  const auto peer = latched_to(core, *socket);
  if (!peer) return fail(Code::NO_LATCH, "wanted a listener that is latched");
  return examine_towards(core, request, *socket, *peer, 0, &bench);
}

base::Result<Case> look(Core& core, Bench& bench, const Request& request, const SurveyRequest& asked) {
  switch (asked.sight) {
    case Sight::prospect: return prospect(core, bench, request, asked);
    case Sight::datagram: return datagram(core, bench, request, asked);
    case Sight::listener: return listener(core, bench, request);
    case Sight::connection: break;
  }
  return examine(core, request, &bench);
}

// It came at some time since the socket was there: only what held all the time is known to have held then.
void judge_datagram(protocol::Report& report) {
  if (!report.is_protected || report.since_start) return;
  report.is_protected = false;
  report.why = Code::STARTED_IN_CLEAR;
  report.detail = "the datagram may have come before the policies of now did";
}

}  // namespace

base::Result<Answer> handle_survey(Core& core, Bench& bench, const Request& request) {
  const auto asked = protocol::decode_survey_request(request.body);
  if (!asked) return asked.error();
  const auto seen = look(core, bench, request, *asked);
  if (!seen) return seen.error();
  const channel::Verdict& verdict = seen->assessment.verdict;
  SurveyReply reply{report_of(core, *seen, request.caller.privileged), common(verdict), false, false};
  reply.compressed = any_template(verdict.out, compresses) || any_template(verdict.in, compresses);
  reply.options_covered = any_template(verdict.out, covers_options) && any_template(verdict.in, covers_options);
  if (asked->sight == Sight::datagram) judge_datagram(reply.report);
  if (asked->sight == Sight::listener) reply.report.since_start = false;  // of no connection
  return Answer{encode(reply)};
}

}  // namespace gssipsec::broker
