// SPDX-License-Identifier: MIT
// One at a time for each socket: setting or removing the kernel's latch and writing it down belong together, or one request
// would take back what another has just vouched for. A request that hangs on its socket holds up that socket only.
// Threads: all functions from any thread; a Turn ends in any.
#pragma once

#include <condition_variable>
#include <mutex>
#include <set>
#include <utility>

#include "base/result.h"
#include "broker/board.h"

namespace gssipsec::broker {

class Turns {
 public:
  class Turn {
   public:
    Turn(Turns* turns, std::uint64_t cookie) noexcept : turns_(turns), cookie_(cookie) {}
    Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)), cookie_(other.cookie_) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (turns_) turns_->end(cookie_);
    }

   private:
    Turns* turns_;
    std::uint64_t cookie_;
  };

  // Waits for its turn; BUSY when that does not come before `deadline`.
  [[nodiscard]] base::Result<Turn> take(std::uint64_t cookie, Time deadline);

 private:
  void end(std::uint64_t cookie);

  std::mutex mutex_;
  std::condition_variable ended_;
  std::set<std::uint64_t> taken_;
};

}  // namespace gssipsec::broker
