// SPDX-License-Identifier: MIT
#include "broker/required.h"

#include <algorithm>
#include <string>

namespace gssipsec::broker {

base::Status Required::may_add(std::uint64_t cookie, std::uint32_t uid) const {
  const std::lock_guard lock(mutex_);
  const auto entry = sockets_.find(cookie);
  if (uid == 0 || entry == sockets_.end() || entry->second == uid) return {};
  return base::fail(base::Code::LATCH_OF_OTHER, "uid " + std::to_string(entry->second) + " asked for its protection");
}

void Required::add(std::uint64_t cookie, std::uint32_t uid, std::uint32_t most) {
  const std::lock_guard lock(mutex_);
  sockets_[cookie] = uid;
  if (sockets_.size() <= most) return;
  const auto his = [uid](const auto& entry) { return entry.second == uid; };
  if (std::ranges::count_if(sockets_, his) > static_cast<std::ptrdiff_t>(most)) sockets_.erase(std::ranges::find_if(sockets_, his));
}

bool Required::contains(std::uint64_t cookie) const {
  const std::lock_guard lock(mutex_);
  return sockets_.contains(cookie);
}

}  // namespace gssipsec::broker
