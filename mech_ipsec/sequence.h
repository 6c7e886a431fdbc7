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
  // The next one came another way.
  void skip() noexcept { (void)note(next_); }

 private:
  std::uint64_t next_ = 0;
  std::uint64_t seen_ = 0;  // bit i: next_ - 1 - i came
};

// Lives in memory that a fork shares: parent and child draw different numbers, so that no nonce of the cipher is used for
// two messages, whoever goes on with the context. Mapped for many contexts at once; a place is never used twice.
class SendCounter {
 public:
  [[nodiscard]] static base::Result<SendCounter> make(std::uint64_t first = 0);
  SendCounter(SendCounter&& other) noexcept : page_(std::exchange(other.page_, nullptr)), value_(other.value_) {}
  SendCounter& operator=(SendCounter&&) = delete;
  ~SendCounter() { leave(page_); }

  // LIMIT when all numbers are used up, or close() was called.
  [[nodiscard]] base::Result<std::uint64_t> next() noexcept;
  // The number that would have come next; from now on none comes, in no process.
  [[nodiscard]] std::uint64_t close() noexcept;

 private:
  using Value = std::atomic<std::uint64_t>;
  static_assert(Value::is_always_lock_free);
  struct Page;
  SendCounter(Page* page, Value* value) noexcept : page_(page), value_(value) {}
  [[nodiscard]] static base::Result<Page*> make_page();
  static void leave(Page* page) noexcept;

  // The one that the next counters come from. Taken out while it is used: no lock that a fork could leave locked.
  static std::atomic<Page*> present_;

  Page* page_;
  Value* value_;
};

}  // namespace gssipsec::mech
