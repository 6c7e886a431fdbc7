// SPDX-License-Identifier: MIT
#include "broker/bind.h"

#include <netinet/in.h>

#include <algorithm>

#include "broker/access.h"
#include "broker/statement.h"

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;
using channel::Role;
using protocol::Found;

// A policy of the listener that took it, of which nothing tells. (One that closed since is not seen.)
bool may_inherit(Core& core, const kernel::SocketFacts& socket) {
  if (socket.flow.protocol != IPPROTO_TCP || socket.listening) return false;
  if (!core.own_policies.has_streams() && !core.latches.any_listener()) return false;
  const auto listener = core.host->has_listener(socket.flow);
  return !listener || *listener;
}

}  // namespace

base::Status fits_role(Core& core, const Request& request, const Case& seen, Found found, Role role) {
  if (found == Found::named) return {};
  const bool own = seen.socket.owner_uid == request.caller.uid;
  if (!own && !(role == Role::acceptor && seen.socket.owner_uid == 0))
    return fail(Code::NOT_OWNER, "wanted a socket of uid " + std::to_string(request.caller.uid) + ", found one of uid " +
                                     std::to_string(seen.socket.owner_uid) + "; name the socket explicitly");
  if (role == Role::acceptor && found == Found::sole) return {};
  const auto listener = core.host->has_listener(seen.socket.flow);
  if (!listener) return listener.error();
  if (*listener != (role == Role::acceptor))
    return fail(Code::WRONG_SIDE, role == Role::acceptor ? "an acceptor's socket has a listener on its local port; this one has none"
                                                         : "an initiator's socket has no listener on its local port; this one has");
  return {};
}

base::Status fit_for_context(Core& core, const Case& seen, std::uint32_t want) {
  base::Status enough = sufficient(seen.assessment, *core.config());
  if (!enough.ok()) return enough;
  const channel::PeerInfo& peer = *seen.assessment.peer;
  if (!peer.authenticated() && !(want & protocol::kAllowAnonymous))
    return fail(Code::PEER_UNAUTHENTICATED, std::string("found ") + auth_method_name(peer.remote_method) + " for " + format(peer.remote) +
                                                "; use certificates, or declare the PSK as held by one peer");
  if (!seen.assessment.verdict.latchable) return seen.assessment.verdict.why_not_latchable;
  if (!protected_since_start(core, seen)) return fail(Code::STARTED_IN_CLEAR, format(seen.socket.flow));
  return {};
}

base::Status give_policy(Core& core, const Request& request, const kernel::SocketFacts& socket, const PolicyPair& pair, bool required, bool replaces) {
  const kernel::PolicyOwner owner{socket.cookie, request.caller.uid, static_cast<std::uint8_t>(socket.flow.protocol), required};
  return core.own_policies.give(owner, pair, core.config()->latches_per_user, [&](const kernel::PolicyOwner& whose) {
    return core.host->set_latch(request.fd, socket.flow, pair.out, pair.in, whose, replaces);
  });
}

base::Status take_policy_away(Core& core, int fd, const kernel::SocketFacts& socket) {
  core.own_policies.take_away(socket.cookie);
  return core.host->clear_latch(fd, socket.flow);
}

KernelLatch::KernelLatch(Turns::Turn turn, Core* core, int fd, kernel::SocketFacts socket, LatchParameters parameters)
    : turn_(std::move(turn)), core_(core), fd_(fd), socket_(std::move(socket)), parameters_(std::move(parameters)) {}

KernelLatch::KernelLatch(KernelLatch&& other) noexcept
    : turn_(std::move(other.turn_)),
      core_(std::exchange(other.core_, nullptr)),
      fd_(other.fd_),
      socket_(std::move(other.socket_)),
      parameters_(std::move(other.parameters_)) {}

KernelLatch::~KernelLatch() {
  if (core_) (void)take_policy_away(*core_, fd_, socket_).ok();
}

// Templates already there are not set again: only CAP_NET_ADMIN can have removed them.
base::Result<KernelLatch> KernelLatch::set(Core& core, const Request& request, const Case& seen) {
  auto parameters = parameters_of(seen.assessment, seen.socket.flow);
  if (!parameters) return parameters.error();
  return set(core, request, seen, std::move(*parameters),
             [](const LatchInfo& known, const LatchParameters& now, const Request&) { return congruent(known.parameters, now); });
}

base::Result<KernelLatch> KernelLatch::set(Core& core, const Request& request, const Case& seen, LatchParameters parameters, Rule may_follow) {
  auto turn = core.turns.take(seen.socket.cookie, request.deadline);
  if (!turn) return turn.error();
  const auto known = core.latches.find(seen.socket.cookie, seen.socket.flow);
  const bool stays = known || core.own_policies.has(seen.socket.cookie) || may_inherit(core, seen.socket);
  const PolicyPair pair{parameters.out, parameters.in};
  base::Status status;
  if (known) status = may_follow(*known, parameters, request);
  if (status.ok() && seen.socket.listening) status = core.own_policies.may_listen(seen.socket.cookie, request.caller.uid, pair);
  const bool same = known && known->parameters.out == parameters.out && known->parameters.in == parameters.in;
  if (status.ok() && !same) status = give_policy(core, request, seen.socket, pair, false, stays);
  if (!status.ok()) return status.error();
  return KernelLatch(*std::move(turn), stays ? nullptr : &core, request.fd, seen.socket, std::move(parameters));
}

base::Status still_congruent(const Core& core, const Case& seen, const LatchParameters& before) {
  base::Status enough = sufficient(seen.assessment, *core.config());
  if (!enough.ok()) return enough;
  const auto now = parameters_of(seen.assessment, seen.socket.flow);
  return now ? congruent(before, *now) : base::Status(now.error());
}

namespace {

// The same publication leads to the same verdict.
base::Status databases_still_say(Core& core, const Request& request, Case& seen, const LatchParameters& latched) {
  if (core.board.version() == seen.view.version) return {};
  settle(core, seen.socket.flow, seen.around, request.deadline, seen.view, seen.assessment);
  return still_congruent(core, seen, latched);
}

}  // namespace

base::Status confirm(Core& core, const Request& request, Case& seen, const LatchParameters& latched, const std::vector<channel::Sa>& used) {
  base::Status same = still_the_same(core, request.fd, seen);
  if (same.ok()) same = databases_still_say(core, request, seen, latched);
  if (!same.ok()) return same;
  for (const channel::Sa& sa : used) {
    const auto there = [&sa](const channel::Sa& other) { return other.id == sa.id && other.added == sa.added; };
    const auto& verdict = seen.assessment.verdict;
    if (std::none_of(verdict.out.carriers.begin(), verdict.out.carriers.end(), there) &&
        std::none_of(verdict.in.carriers.begin(), verdict.in.carriers.end(), there))
      return fail(Code::SA_GONE, "an SA was replaced while the request was answered; try again");
  }
  return {};
}

base::Result<Slot> enter(Core& core, const Request& request, const Case& seen, const LatchParameters& latched, bool since_start) {
  return enter(core, request, seen.view.version, {seen.socket.cookie, seen.socket.flow, seen.around, request.caller.uid, latched, since_start});
}

base::Result<Slot> enter(Core& core, const Request& request, std::uint64_t seen_version, const LatchSetup& setup) {
  const base::Status room = core.latches.room(setup.cookie, setup.owner, core.config()->latches_per_user);
  if (!room.ok()) return room.error();
  const auto slot = core.latches.establish(setup, request.page, now());
  // A change between the last look and now was seen by nobody for this latch.
  if (core.board.version() != seen_version) core.latches.recheck(setup.cookie, core.board, now());
  return slot;
}

channel::Assertion vouch(const Request& request, const Case& seen, Role role, bool anonymous) {
  channel::Assertion assertion;
  assertion.role = role;
  assertion.nonce = random_digest();
  assertion.anonymous = anonymous || request.caller.anonymous;
  if (!assertion.anonymous) {
    assertion.privileged = request.caller.privileged;
    assertion.uid = request.caller.uid;
    assertion.user = request.caller.user;
  }
  const channel::Quality& quality = seen.assessment.verdict.quality;
  assertion.latched = true;
  assertion.integrity = quality.integrity;
  assertion.confidentiality = quality.confidentiality;
  assertion.replay_protection = quality.replay_protection;
  assertion.since_start = true;
  return assertion;
}

protocol::ChannelInfo channel_info(Core& core, const Case& seen, const LatchParameters& latched, const Slot& slot) {
  const channel::Quality& quality = seen.assessment.verdict.quality;
  protocol::ChannelInfo info;
  info.integrity = quality.integrity;
  info.confidentiality = quality.confidentiality;
  info.replay_protection = quality.replay_protection;
  info.peer_authenticated = seen.assessment.peer && seen.assessment.peer->authenticated();
  info.breaks_shut = (seen.assessment.peer && pinned(*seen.assessment.peer)) || core.host->destroys_sockets(seen.socket.flow.protocol);
  info.key_bits = quality.key_bits;
  info.suite = quality.suite;
  info.latch = protocol::LatchState::established;
  info.slot = slot.number;
  info.generation = slot.generation;
  info.cookie = seen.socket.cookie;
  info.lifetime = core.config()->context_lifetime;
  info.statement = encode(statement_of(latched, seen.socket.flow, core.started));
  return info;
}

const channel::Sa* carrier_with_spi(const std::vector<channel::Sa>& carriers, std::uint32_t spi) noexcept {
  const auto sa = std::find_if(carriers.begin(), carriers.end(), [spi](const channel::Sa& s) { return s.id.spi == spi; });
  return sa == carriers.end() ? nullptr : &*sa;
}

}  // namespace gssipsec::broker
