// SPDX-License-Identifier: MIT
// The events of one connection on their way: sent at once while its socket takes them, then a bounded queue, then dropped and
// counted; a LOST at the place of what is missing. Never waits. Threads: the event thread only.
#pragma once

#include <deque>
#include <functional>
#include <utility>

#include "base/bytes.h"
#include "protocol/events.h"

namespace gssipsec::broker {

class Outbox {
 public:
  enum class Sent { yes, full, gone };  // full: not now
  using Send = std::function<Sent(base::View datagram)>;

  // While a worker has the connection nothing is sent: the answer to SUBSCRIBE comes before its first event.
  void hold() noexcept { held_ = true; }
  void release() noexcept { held_ = false; }
  // False: the connection is gone.
  [[nodiscard]] bool push(std::uint32_t request, const protocol::Event& event, std::size_t most, const Send& send);
  [[nodiscard]] bool flush(const Send& send);
  [[nodiscard]] bool waiting() const noexcept { return !held_ && (!queue_.empty() || missing_ > 0); }
  // Since it was asked last.
  [[nodiscard]] std::uint64_t take_sent() noexcept { return std::exchange(sent_, 0); }
  [[nodiscard]] std::uint64_t take_dropped() noexcept { return std::exchange(dropped_, 0); }

 private:
  [[nodiscard]] base::Bytes lost_message() const;

  std::deque<base::Bytes> queue_;
  std::uint32_t missing_ = 0, request_ = 0;  // dropped behind the queue's end
  std::uint64_t sent_ = 0, dropped_ = 0;
  bool held_ = false;
};

// The datagram of an event.
[[nodiscard]] base::Bytes event_message(std::uint32_t request, const protocol::Event& event);

}  // namespace gssipsec::broker
