// SPDX-License-Identifier: MIT
#include "broker/turns.h"

namespace gssipsec::broker {

base::Result<Turns::Turn> Turns::take(std::uint64_t cookie, Time deadline) {
  std::unique_lock lock(mutex_);
  if (!ended_.wait_until(lock, deadline, [&] { return !taken_.contains(cookie); }))
    return base::fail(base::Code::BUSY, "another request about this socket does not come back");
  taken_.insert(cookie);
  return Turn(this, cookie);
}

void Turns::end(std::uint64_t cookie) {
  {
    const std::lock_guard lock(mutex_);
    taken_.erase(cookie);
  }
  ended_.notify_all();
}

}  // namespace gssipsec::broker
