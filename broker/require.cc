// SPDX-License-Identifier: MIT
// REQUIRE: before connect(2), the socket's own policy, so that whatever becomes of the SPD or of IKE nothing leaves it in clear; the
// first packet makes the IKE daemon negotiate. After it, whether what came is as strong as wanted.
#include <netinet/in.h>

#include <algorithm>

#include "broker/bind.h"

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;
using protocol::Strength;
using protocol::RequireRequest;

base::Status as_level(Strength level, const channel::Quality& found, const Config& config) {
  if (level == Strength::any) return {};
  const LevelRule& rule = config.levels[static_cast<std::size_t>(level) - 1];
  const bool listed = rule.suites.empty() || std::ranges::find(rule.suites, found.suite) != rule.suites.end();
  if (listed && found.key_bits >= rule.min_key_bits) return {};
  static constexpr const char* kNames[] = {"any", "low", "medium", "high"};
  return fail(Code::WEAK, std::string("wanted level ") + kNames[static_cast<std::size_t>(level)] + " of the broker's configuration, found " + found.suite +
                              " with " + std::to_string(found.key_bits) + " bits");
}

base::Status as_wanted(const RequireRequest& asked, const Assessment& found, const Config& config) {
  const base::Status enough = sufficient(found, config);
  if (!enough.ok()) return enough;
  const channel::Quality& quality = found.verdict.quality;
  if (asked.privacy && !quality.confidentiality) return fail(Code::WEAK, "wanted encryption, found " + quality.suite);
  if (asked.replay && !found.verdict.in.quality.replay_protection) return fail(Code::WEAK, "wanted replay protection");
  if (quality.key_bits < asked.key_bits)
    return fail(Code::WEAK, "wanted " + std::to_string(asked.key_bits) + " bits, found " + std::to_string(quality.key_bits));
  if (asked.authenticated && !found.peer->authenticated())
    return fail(Code::PEER_UNAUTHENTICATED, std::string("found ") + auth_method_name(found.peer->remote_method));
  for (const channel::OneWay* way : {&found.verdict.out, &found.verdict.in})
    if (base::Status level = as_level(asked.level, way->quality, config); !level.ok()) return level;
  return {};
}

// Whoever shares it would be shut in: it is its maker's.
base::Status may_require(Core& core, const Request& request, const kernel::SocketFacts& socket) {
  if (!request.caller.privileged && socket.owner_uid != request.caller.uid)
    return fail(Code::NOT_OWNER, "wanted root or uid " + std::to_string(socket.owner_uid) + ", found uid " + std::to_string(request.caller.uid));
  const auto latch = core.latches.find(socket.cookie, socket.flow);
  if (latch && !request.caller.privileged && latch->owner != request.caller.uid)
    return fail(Code::LATCH_OF_OTHER, "uid " + std::to_string(latch->owner) + " latched it");
  return core.required.may_add(socket.cookie, request.caller.privileged ? 0 : request.caller.uid);
}

base::Status set(Core& core, const Request& request, const Case& seen) {
  const channel::Verdict& verdict = seen.assessment.verdict;
  if (verdict.is_protected && !verdict.latchable) return verdict.why_not_latchable;
  if (seen.around.vrf || seen.socket.flow.if_id != 0) return fail(Code::NOT_LATCHABLE, "the route to the peer goes through a VRF or an xfrm interface");
  const auto out = channel::required_templates(verdict.out, seen.socket.flow, channel::Direction::out);
  if (!out) return out.error();
  const auto in = channel::required_templates(verdict.in, seen.socket.flow, channel::Direction::in);
  if (!in) return in.error();
  const auto turn = core.turns.take(seen.socket.cookie, request.deadline);
  if (!turn) return turn.error();
  const base::Status done = core.host->set_latch(request.fd, seen.socket.flow, *out, *in);
  if (!done.ok()) return done;
  core.required.add(seen.socket.cookie, request.caller.privileged ? 0 : request.caller.uid, core.config()->latches_per_user);
  // Connected meanwhile, its first packet could have left before.
  const auto now = core.host->read_new_socket(request.fd);
  if (!now) return now.error();
  return now->cookie == seen.socket.cookie ? base::Status() : fail(Code::SOCKET_CHANGED, "the descriptor is another socket now");
}

base::Result<Answer> require_of_new(Core& core, const Request& request, const RequireRequest& asked) {
  if (request.fd < 0) return fail(Code::NO_SOCKET, "wanted one descriptor with this request, found none");
  const auto socket = core.host->read_new_socket(request.fd);
  if (!socket) return socket.error();
  if (socket->flow.protocol != IPPROTO_TCP && socket->flow.protocol != IPPROTO_UDP)
    return fail(Code::NOT_LATCHABLE, "the kernel asks for routes of this protocol without the socket");
  if (!socket->flow.on_ipv6_socket && asked.peer.family != channel::Family::ipv4)
    return fail(Code::BAD_ARGUMENT, "wanted the address of a peer in the family of the socket");
  base::Status status = may_require(core, request, *socket);
  if (!status.ok()) return status.error();
  auto facts = *socket;
  if (facts.flow.local.family != asked.peer.family) facts.flow.local = {asked.peer.family, {}};  // an open IPv6 socket, to an IPv4 peer
  const auto seen = examine_towards(core, request, facts, asked.peer, asked.port);
  if (!seen) return seen.error();
  const bool ready = seen->assessment.verdict.is_protected;
  if (ready) status = as_wanted(asked, seen->assessment, *core.config());
  if (status.ok()) status = set(core, request, *seen);
  if (!status.ok()) return status.error();
  return Answer{encode(protocol::RequireReply{ready})};
}

base::Result<Answer> judge(Core& core, const Request& request, const RequireRequest& asked) {
  const auto seen = examine(core, request);
  if (!seen) return seen.error();
  const base::Status status = as_wanted(asked, seen->assessment, *core.config());
  if (!status.ok()) return status.error();
  return Answer{encode(protocol::RequireReply{true})};
}

}  // namespace

base::Result<Answer> handle_require(Core& core, const Request& request) {
  const auto asked = protocol::decode_require_request(request.body);
  if (!asked) return asked.error();
  return asked->peer.family == channel::Family::none ? judge(core, request, *asked) : require_of_new(core, request, *asked);
}

}  // namespace gssipsec::broker
