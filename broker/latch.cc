// SPDX-License-Identifier: MIT
// LATCH: a socket's latch without a context, also of one that takes packets from many. UNLATCH: takes it away again, by
// whom it was set, when no context is left. What cannot be latched is watched, and the socket left alone.
#include <netinet/in.h>

#include "broker/bind.h"

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;
using protocol::LatchReply;
using protocol::LatchRequest;
using protocol::LatchState;

base::Result<Answer> answer(Core& core, const Case& seen, const LatchParameters& latched, const Slot& slot, LatchState state, const base::Error& why) {
  LatchReply reply{channel_info(core, seen, latched, slot), why.code, why.detail};
  reply.channel.latch = state;
  reply.channel.breaks_shut = reply.channel.breaks_shut && state == LatchState::established;
  const auto& peer = seen.assessment.peer;
  if (peer && peer->authenticated()) reply.channel.peer_name = format(channel::Name{channel::Name::Kind::host, peer->remote, {}, {}, {}});
  return Answer{encode(reply)};
}

LatchSetup setup_of(const Request& request, const Case& seen, LatchParameters parameters) {
  LatchSetup setup{seen.socket.cookie, seen.socket.flow, seen.around, request.caller.uid, std::move(parameters)};
  setup.context = false;
  return setup;
}

base::Result<Answer> monitor(Core& core, const Request& request, const Case& seen) {
  auto parameters = watched_parameters(seen.assessment);
  if (!parameters) return parameters.error();
  const auto slot = enter(core, request, seen.view.version, setup_of(request, seen, *parameters));
  if (!slot) return slot.error();
  return answer(core, seen, *parameters, *slot, LatchState::monitored, seen.assessment.verdict.why_not_latchable);
}

base::Result<Answer> latch_connection(Core& core, const Request& request, Case& seen) {
  const base::Status enough = sufficient(seen.assessment, *core.config());
  if (!enough.ok()) return enough.error();
  if (!seen.assessment.verdict.latchable) return monitor(core, request, seen);
  const bool from_start = latched_since_start(core, seen);
  auto latch = KernelLatch::set(core, request, seen);
  if (!latch) return latch.error();
  const base::Status confirmed = confirm(core, request, seen, latch->parameters(), {});
  if (!confirmed.ok()) return confirmed.error();
  LatchSetup setup = setup_of(request, seen, latch->parameters());
  setup.since_start = from_start;
  const auto slot = enter(core, request, seen.view.version, setup);
  if (!slot) return slot.error();
  latch->keep();
  return answer(core, seen, latch->parameters(), *slot, LatchState::established, {Code::ok, {}});
}

// Whoever shares such a socket would be shut in with us: it is its maker's, and a datagram socket's packets are everybody's.
base::Status may_latch(const Request& request, const kernel::SocketFacts& socket) {
  if (request.caller.privileged) return {};
  if (socket.flow.protocol == IPPROTO_UDP) return fail(Code::NOT_ALLOWED, "wanted root to latch an unconnected datagram socket; connect it");
  if (socket.owner_uid == request.caller.uid) return {};
  return fail(Code::NOT_OWNER, "wanted root or uid " + std::to_string(socket.owner_uid) + " to latch a listener that others share, found uid " +
                                   std::to_string(request.caller.uid));
}

// The socket has one policy a direction, of one family.
base::Status fits_listener(const LatchRequest& asked, const kernel::SocketFacts& socket) {
  if (socket.flow.on_ipv6_socket && !socket.v6only)
    return fail(Code::NOT_LATCHABLE, "a socket of both families would take IPv4 in clear; set IPV6_V6ONLY and listen on another one for IPv4");
  if (asked.peer.family == socket.flow.local.family) return {};
  return fail(Code::BAD_ARGUMENT, "wanted the address of a peer in the family of the socket, whose SAs it is to be latched to");
}

// Nothing was vouched for that another template could take back; but what one user set no other replaces.
base::Status may_follow(const LatchInfo& known, const LatchParameters& now, const Request& request) {
  if (request.caller.privileged || known.owner == request.caller.uid) return {};
  if (known.parameters.out == now.out && known.parameters.in == now.in) return {};
  return fail(Code::LATCH_OF_OTHER, "uid " + std::to_string(known.owner) + " latched the listener to other SAs");
}

base::Status still_listens(Core& core, const Request& request, const Case& seen) {
  const auto socket = core.host->read_socket(request.fd);
  if (!socket) return socket.error();
  if (socket->listening && socket->cookie == seen.socket.cookie && socket->flow.local_port == seen.socket.flow.local_port) return {};
  return fail(Code::SOCKET_CHANGED, "the socket does not listen any more, or at another port");
}

// With no peer named: the one whose SAs it is latched to.
base::Result<Answer> latch_listener(Core& core, const Request& request, LatchRequest asked, const kernel::SocketFacts& socket) {
  base::Status status = may_latch(request, socket);
  if (status.ok() && asked.peer.family == channel::Family::none) {
    const auto known = core.latches.find(socket.cookie, socket.flow);
    if (!known) return fail(Code::NO_LATCH, "the listener is not latched, and no peer is named");
    asked.peer = known->flow.remote;
  }
  if (status.ok()) status = fits_listener(asked, socket);
  if (!status.ok()) return status.error();
  const auto seen = examine_towards(core, request, socket, asked.peer);
  if (!seen) return seen.error();
  auto parameters = listener_parameters(seen->assessment, seen->around, seen->socket.flow);
  if (!parameters) return parameters.error();
  auto latch = KernelLatch::set(core, request, *seen, std::move(*parameters), &may_follow);
  if (!latch) return latch.error();
  status = still_listens(core, request, *seen);
  if (!status.ok()) return status.error();
  LatchSetup setup = setup_of(request, *seen, latch->parameters());
  setup.listener = true;
  const auto slot = enter(core, request, seen->view.version, setup);
  if (!slot) return slot.error();
  latch->keep();
  return answer(core, *seen, latch->parameters(), *slot, LatchState::listener, {Code::ok, {}});
}

}  // namespace

base::Result<Answer> handle_latch(Core& core, const Request& request) {
  const auto asked = protocol::decode_latch_request(request.body);
  if (!asked) return asked.error();
  const auto socket = passed_socket(core, request);
  if (!socket) return socket.error();
  if (socket->listening) return latch_listener(core, request, *asked, *socket);
  if (asked->peer.family != channel::Family::none) return fail(Code::BAD_ARGUMENT, "a connected socket has its peer; wanted no address");
  auto seen = examine(core, request);
  if (!seen) return seen.error();
  return latch_connection(core, request, *seen);
}

base::Result<Answer> handle_unlatch(Core& core, const Request& request) {
  const auto asked = protocol::decode_unlatch_request(request.body);
  if (!asked) return asked.error();
  const auto socket = passed_socket(core, request);
  if (!socket) return socket.error();
  if (socket->cookie != asked->cookie) return fail(Code::SOCKET_CHANGED, "the descriptor is another socket now");
  const auto turn = core.turns.take(socket->cookie, request.deadline);
  if (!turn) return turn.error();
  base::Status status = core.latches.may_remove(socket->cookie, request.caller.uid, request.caller.privileged);
  const bool stays = core.own_policies.stays(socket->cookie);
  if (status.ok() && !stays) status = core.own_policies.may_move(socket->cookie, request.caller.uid);
  if (status.ok() && !stays) status = take_policy_away(core, request.fd, *socket);
  if (!status.ok()) return status.error();
  core.latches.remove(socket->cookie);
  return Answer{};
}

base::Result<Answer> handle_latches(Core& core, const Request& request) {
  const auto asked = protocol::decode_latches_request(request.body);
  if (!asked) return asked.error();
  if (!request.caller.privileged) return fail(Code::NOT_ALLOWED, "wanted root for a look at all latches");
  return Answer{encode(core.latches.list(asked->after, protocol::kMaxList))};
}

}  // namespace gssipsec::broker
