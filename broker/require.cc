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
  const std::size_t place = static_cast<std::size_t>(level) - 1;
  if (config.levels[place].admits(found)) return {};
  return fail(Code::WEAK, std::string("wanted level ") + kLevelNames[place].first + " of the broker's configuration, found " + found.suite +
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
base::Status may_require(const Request& request, const kernel::SocketFacts& socket) {
  if (!request.caller.privileged && socket.owner_uid != request.caller.uid)
    return fail(Code::NOT_OWNER, "wanted root or uid " + std::to_string(socket.owner_uid) + ", found uid " + std::to_string(request.caller.uid));
  return {};
}

// What another user asked for, a latch among it, is not put aside, nor a latch to another peer.
base::Status may_replace(const Core& core, const Request& request, const kernel::SocketFacts& socket, const std::optional<LatchInfo>& latch,
                         const PolicyPair& pair) {
  if (base::Status others = core.own_policies.may_move(socket.cookie, request.caller.uid); !others.ok()) return others;
  if (!latch || pair.alike({latch->parameters.out, latch->parameters.in})) return {};
  return fail(Code::OWN_POLICY, "wanted a policy for " + format(pair.out.front().destination) + ", found a latch to " + format(latch->flow.remote) +
                                    "; take the latch away first");
}

// `socket` as it is, without the peer that it is seen with. A latch of an earlier connection ends with the policy that it rested on.
base::Status set(Core& core, const Request& request, const kernel::SocketFacts& socket, const Case& seen) {
  const channel::Verdict& verdict = seen.assessment.verdict;
  if (verdict.is_protected && !verdict.latchable) return verdict.why_not_latchable;
  if (seen.around.vrf || seen.socket.flow.if_id != 0) return fail(Code::NOT_LATCHABLE, "the route to the peer goes through a VRF or an xfrm interface");
  const auto out = channel::required_templates(verdict.out, seen.socket.flow, channel::Direction::out);
  if (!out) return out.error();
  const auto in = channel::required_templates(verdict.in, seen.socket.flow, channel::Direction::in);
  if (!in) return in.error();
  const PolicyPair pair{*out, *in};
  const auto turn = core.turns.take(socket.cookie, request.deadline);
  if (!turn) return turn.error();
  const auto latch = core.latches.find(socket.cookie, socket.flow);
  base::Status status = may_replace(core, request, socket, latch, pair);
  if (status.ok()) status = give_policy(core, request, seen.socket, pair, true, latch || core.own_policies.has(socket.cookie));
  if (!status.ok()) return status;
  if (!latch) core.latches.remove(socket.cookie);
  // Connected meanwhile, its first packet could have left before.
  const auto now = core.host->read_new_socket(request.fd);
  if (!now) return now.error();
  return now->cookie == socket.cookie ? base::Status() : fail(Code::SOCKET_CHANGED, "the descriptor is another socket now");
}

base::Result<Answer> require_of_new(Core& core, const Request& request, const RequireRequest& asked) {
  const auto socket = passed_new_socket(core, request);
  if (!socket) return socket.error();
  if (socket->flow.protocol != IPPROTO_TCP && socket->flow.protocol != IPPROTO_UDP)
    return fail(Code::NOT_LATCHABLE, "the kernel asks for routes of this protocol without the socket");
  if (!socket->flow.on_ipv6_socket && asked.peer.family != channel::Family::ipv4)
    return fail(Code::BAD_ARGUMENT, "wanted the address of a peer in the family of the socket");
  base::Status status = may_require(request, *socket);
  if (!status.ok()) return status.error();
  auto facts = *socket;
  if (facts.flow.local.family != asked.peer.family) facts.flow.local = {asked.peer.family, {}};  // an open IPv6 socket, to an IPv4 peer
  const auto seen = examine_towards(core, request, facts, asked.peer, asked.port);
  if (!seen) return seen.error();
  const bool ready = seen->assessment.verdict.is_protected;
  if (ready) status = as_wanted(asked, seen->assessment, *core.config());
  if (status.ok()) status = set(core, request, *socket, *seen);
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
