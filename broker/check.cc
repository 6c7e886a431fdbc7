// SPDX-License-Identifier: MIT
// CHECK: is the latch of this context still what it was? Latches again where the SAs changed under the same peer, or
// where this broker is younger than the latch and IKE authenticated the peer: lineage is known to a broker that saw it. That
// the connection was protected from its beginning is not believed to a client: so a restarted broker makes no new contexts on it.
#include "broker/bind.h"
#include "broker/fault.h"
#include "broker/statement.h"

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;
using protocol::CheckReply;
using protocol::CheckRequest;
using protocol::LatchState;

base::Result<Answer> reply(LatchState state, const base::Error& why, const Slot& slot) {
  return Answer{encode(CheckReply{state, state == LatchState::established ? Code::ok : why.code, why.detail, slot.number, slot.generation})};
}

// A block that may pass has not broken the latch so far.
LatchState state_for(const Core& core, const Case& seen, const base::Error& why) {
  const auto known = core.latches.find(seen.socket.cookie, seen.socket.flow);
  if (why.code == Code::BLOCKED && known && known->status.state != LatchState::broken) return LatchState::stale;
  const bool passes = why.code == Code::UNKNOWN || why.code == Code::NO_SA || why.code == Code::PEER_UNKNOWN || why.code == Code::BUSY;
  return passes ? LatchState::stale : LatchState::broken;
}

// As the client remembers it, who may have met another life of this broker, and as this one does, which others may have asked.
base::Status still_congruent(const Core& core, const CheckRequest& asked, const Case& seen, const std::optional<LatchInfo>& known) {
  const auto now = parameters_of(seen.assessment, seen.socket.flow);
  if (!now) return now.error();
  base::Status same = agrees(asked.statement, seen.socket.flow, *now, core.started);
  if (same.ok() && known) same = congruent(known->parameters, *now);
  if (same.ok() && !known && pinned(now->peer)) same = fail(Code::LATCH_BROKEN, "the latch of these SAs is not known any more");
  return same;
}

// The kernel's templates brought up to date, and a new slot for the context; `old` is its slot on this client's page, if
// it has one there (a number alone may be another context's).
base::Result<Answer> latch_again(Core& core, const Request& request, const std::optional<Slot>& old, Case& seen, bool since_start) {
  auto latch = KernelLatch::set(core, request, seen);
  if (!latch) return reply(state_for(core, seen, latch.error()), latch.error(), {});
  latch->keep();
  reached(FaultPoint::check_latched);
  const base::Status status = confirm(core, request, seen, latch->parameters(), {});
  if (!status.ok()) return reply(state_for(core, seen, status.error()), status.error(), {});
  const auto slot = enter(core, request, seen, latch->parameters(), since_start);
  if (!slot) return slot.error();
  reached(FaultPoint::check_entered);
  if (old) core.latches.release(request.page, *old);
  return reply(LatchState::established, {}, *slot);
}

}  // namespace

base::Result<Answer> handle_check(Core& core, const Request& request) {
  const auto asked = protocol::decode_check_request(request.body);
  if (!asked) return asked.error();
  auto seen = examine(core, request);
  if (!seen) return seen.error();
  if (seen->socket.cookie != asked->cookie) return fail(Code::SOCKET_CHANGED, "the descriptor is another socket now");
  reached(FaultPoint::check_examined);
  const auto known = core.latches.find(seen->socket.cookie, seen->socket.flow);
  const Slot slot{asked->slot, asked->generation};
  const bool ours = request.page && core.latches.rests_on(request.page, slot, asked->cookie, seen->socket.flow);
  if (known && ours && known->status.state == LatchState::established) return reply(LatchState::established, {}, slot);
  if (known && ours && known->status.state == LatchState::monitored)
    return reply(LatchState::monitored, fail(Code::NOT_LATCHABLE, "the kernel cannot enforce it"), slot);
  const base::Status enough = sufficient(seen->assessment, *core.config());
  if (!enough.ok()) return reply(state_for(core, *seen, enough.error()), enough.error(), slot);
  const base::Status same = still_congruent(core, *asked, *seen, known);
  if (!same.ok()) return reply(LatchState::broken, same.error(), slot);
  const bool since_start = known ? known->since_start : protected_since_start(core, *seen);
  return latch_again(core, request, ours ? std::optional(slot) : std::nullopt, *seen, since_start);
}

}  // namespace gssipsec::broker
