// SPDX-License-Identifier: MIT
// The order of messages in one direction: the sender's counter and the receiver's window (RFC 2743 1.2.3).
// Threads: the counter any; the window under its context's lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "base/result.h"

namespace gssipsec::mech {

enum class Order : std::uint8_t { in_order, gap, unsequenced, duplicate, old };
[[nodiscard]] const char* order_name(Order order) noexcept;

// Remembers which of the last 64 numbers came. Only numbers of authenticated messages may be noted.
class ReceiveWindow {
 public:
  ReceiveWindow() = default;
  ReceiveWindow(std::uint64_t next, std::uint64_t seen) noexcept : next_(next), seen_(seen) {}
  [[nodiscard]] Order note(std::uint64_t sequence) noexcept;
  [[nodiscard]] std::uint64_t next() const noexcept { return next_; }
  [[nodiscard]] std::uint64_t seen() const noexcept { return seen_; }

 private:
  std::uint64_t next_ = 0;
  std::uint64_t seen_ = 0;  // bit i: next_ - 1 - i came
};

// Lives in memory that a fork shares: parent and child draw different numbers, so that no nonce of the cipher is used for
// two messages, whoever goes on with the context.
class SendCounter {
 public:
  [[nodiscard]] static base::Result<SendCounter> make(std::uint64_t first = 0);
  SendCounter(SendCounter&& other) noexcept : value_(std::exchange(other.value_, nullptr)) {}
  SendCounter& operator=(SendCounter&&) = delete;
  ~SendCounter();

  // LIMIT when all numbers are used up, or close() was called.
  [[nodiscard]] base::Result<std::uint64_t> next() noexcept;
  // The number that would have come next; from now on none comes, in no process.
  [[nodiscard]] std::uint64_t close() noexcept;

 private:
  using Value = std::atomic<std::uint64_t>;
  static_assert(Value::is_always_lock_free);
  explicit SendCounter(Value* value) noexcept : value_(value) {}
  Value* value_;
};

}  // namespace gssipsec::mech
