// SPDX-License-Identifier: MIT
#include "broker/bound.h"

namespace gssipsec::broker {

void BoundSockets::note(std::uint64_t cookie, protocol::BoundBefore answer) {
  const std::lock_guard lock(mutex_);
  if (answers_.insert_or_assign(cookie, std::move(answer)).second) order_.push_back(cookie);
  if (order_.size() <= kMost) return;
  answers_.erase(order_.front());
  order_.pop_front();
}

std::optional<protocol::BoundBefore> BoundSockets::find(std::uint64_t cookie) const {
  const std::lock_guard lock(mutex_);
  const auto found = answers_.find(cookie);
  return found == answers_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace gssipsec::broker
