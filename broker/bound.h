// SPDX-License-Identifier: MIT
// What BIND answered last about each socket, for those who ask why a program's contexts are not bound or do not rest on the channel.
// Bounded: the oldest go. A cookie is never given to another socket, so what was closed does no harm. Threads: any.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>

#include "protocol/messages.h"

namespace gssipsec::broker {

class BoundSockets {
 public:
  static constexpr std::size_t kMost = 4096;

  void note(std::uint64_t cookie, protocol::BoundBefore answer);
  [[nodiscard]] std::optional<protocol::BoundBefore> find(std::uint64_t cookie) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::uint64_t, protocol::BoundBefore> answers_;
  std::deque<std::uint64_t> order_;  // oldest first
};

}  // namespace gssipsec::broker
