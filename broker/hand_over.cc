// SPDX-License-Identifier: MIT
// HAND_OVER and TAKE_OVER: a context goes to another process of the same user, which holds the same connection. Both ask for a
// latch that holds at this moment; who takes over rests on it with a slot of his own.
#include "broker/bind.h"
#include "broker/fault.h"

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;
using protocol::TakeOverRequest;

base::Result<LatchInfo> latch_that_holds(const Core& core, const kernel::SocketFacts& socket, std::uint64_t cookie) {
  if (socket.cookie != cookie) return fail(Code::SOCKET_CHANGED, "the descriptor is another socket now");
  auto latch = core.latches.find(socket.cookie, socket.flow);
  if (!latch) return fail(Code::LATCH_BROKEN, "the broker knows no latch on this connection");
  if (latch->status.state == protocol::LatchState::established) return *std::move(latch);
  const bool stale = latch->status.state == protocol::LatchState::stale;
  return fail(stale ? Code::LATCH_STALE : Code::LATCH_BROKEN, std::string("the latch is ") + latch_state_name(latch->status.state));
}

base::Result<Answer> latch_and_give(Core& core, const Request& request, const TakeOverRequest& asked, Case& seen, bool since_start) {
  auto latch = KernelLatch::set(core, request, seen);
  if (!latch) return latch.error();
  const base::Status same = confirm(core, request, seen, latch->parameters(), {});
  if (!same.ok()) return same.error();
  const auto slot = enter(core, request, seen, latch->parameters(), since_start);
  if (!slot) return slot.error();
  latch->keep();
  reached(FaultPoint::take_over_entered);
  auto key = core.transfers.take(asked.id, {asked.cookie, request.caller.uid}, now());
  if (!key) {
    core.latches.release(request.page, *slot);
    return key.error();
  }
  reached(FaultPoint::take_over_taken);
  return Answer{encode(protocol::TakeOverReply{channel_info(core, seen, latch->parameters(), *slot), *std::move(key)})};
}

}  // namespace

base::Result<Answer> handle_hand_over(Core& core, const Request& request) {
  const auto asked = protocol::decode_hand_over_request(request.body);
  if (!asked) return asked.error();
  const auto socket = passed_socket(core, request);
  if (!socket) return socket.error();
  const auto latch = latch_that_holds(core, *socket, asked->cookie);
  if (!latch) return latch.error();
  auto begun = core.transfers.begin({asked->cookie, request.caller.uid}, latch->parameters, now());
  if (!begun) return begun.error();
  reached(FaultPoint::hand_over_begun);
  return Answer{encode(protocol::HandOverReply{begun->id, std::move(begun->key)})};
}

base::Result<Answer> handle_take_over(Core& core, const Request& request) {
  const auto asked = protocol::decode_take_over_request(request.body);
  if (!asked) return asked.error();
  auto seen = examine(core, request);
  if (!seen) return seen.error();
  const auto left = core.transfers.latched(asked->id, {asked->cookie, request.caller.uid}, now());
  if (!left) return left.error();
  const auto latch = latch_that_holds(core, seen->socket, asked->cookie);
  if (!latch) return latch.error();
  // On what the context rested when it left, and on nothing else: somebody may have latched the socket anew meanwhile.
  const base::Status rests = still_congruent(core, *seen, *left);
  if (!rests.ok()) return rests.error();
  return latch_and_give(core, request, *asked, *seen, latch->since_start);
}

}  // namespace gssipsec::broker
