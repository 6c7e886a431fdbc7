// SPDX-License-Identifier: MIT
#include "broker/recent.h"

#include "broker/prepared.h"

namespace gssipsec::broker {

void Recent::keep(std::uint64_t cookie, SharedPrepared prepared, Time now) {
  const std::lock_guard lock(mutex_);
  prepared_.put(cookie, std::move(prepared), now);
}

SharedPrepared Recent::find(const Core& core, const kernel::SocketFacts& socket, Time now) const {
  SharedPrepared known;
  {
    const std::lock_guard lock(mutex_);
    const auto* entry = prepared_.find(socket.cookie, now);
    if (entry) known = *entry;
  }
  if (!known) return nullptr;
  const channel::Flow& flow = known->seen.socket.flow;
  const bool same = same_connection(flow, socket.flow) && flow.mark == socket.flow.mark;
  const bool unchanged = known->seen.view.version == core.board.version() && core.latches.holds(socket.cookie, socket.flow);
  return same && unchanged ? known : nullptr;
}

void Recent::expire(Time now) {
  const std::lock_guard lock(mutex_);
  prepared_.expire(now);
}

}  // namespace gssipsec::broker
