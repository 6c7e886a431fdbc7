// SPDX-License-Identifier: MIT
// The end of a whole call to the broker, on CLOCK_MONOTONIC: every wait inside the call counts against the same end, and
// a signal's handler does not prolong it. Threads: a plain value.
#pragma once

#include <cstdint>

namespace gssipsec::client {

inline constexpr std::int64_t kCallMilliseconds = 2000;

[[nodiscard]] std::int64_t monotonic_milliseconds() noexcept;

class Deadline {
 public:
  explicit Deadline(std::int64_t milliseconds) noexcept : end_(monotonic_milliseconds() + milliseconds) {}
  // True when poll(2) reports anything for `fd`, false when the time is over. fd -1 only waits.
  [[nodiscard]] bool wait(int fd, short events) const noexcept;
  // Sleeps a moment, for conditions that poll(2) does not know; false when the time is over.
  [[nodiscard]] bool pause() const noexcept;
  [[nodiscard]] bool over() const noexcept { return left() == 0; }

 private:
  [[nodiscard]] std::int64_t left() const noexcept;

  std::int64_t end_;
};

}  // namespace gssipsec::client
