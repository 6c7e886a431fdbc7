// SPDX-License-Identifier: MIT
#include "broker/transfers.h"

#include <algorithm>

#include "broker/core.h"

namespace gssipsec::broker {

using base::Code;
using base::fail;

base::Result<Transfers::Begun> Transfers::begin(std::uint64_t cookie, std::uint32_t uid, Time now) {
  channel::Digest key = random_digest();
  Begun begun{random_digest(), base::Secret(key)};
  explicit_bzero(key.data(), key.size());
  const std::lock_guard lock(mutex_);
  expire(now);
  const auto own = std::ranges::count_if(under_way_, [uid](const auto& entry) { return entry.second.uid == uid; });
  if (static_cast<std::size_t>(own) >= kPerUser)
    return fail(Code::LIMIT, std::to_string(kPerUser) + " exported contexts of this user wait to be imported");
  under_way_.emplace(begun.id, Entry{cookie, uid, begun.key.copy(), now});
  return begun;
}

base::Result<base::Secret> Transfers::take(const channel::Digest& id, std::uint64_t cookie, Time now) {
  const std::lock_guard lock(mutex_);
  expire(now);
  const auto found = under_way_.find(id);
  if (found == under_way_.end()) return fail(Code::BAD_TOKEN, "this exported context was imported before, or has waited too long, or the broker was restarted");
  if (found->second.cookie != cookie) return fail(Code::SOCKET_CHANGED, "this context was exported for another connection");
  base::Secret key = std::move(found->second.key);
  under_way_.erase(found);
  return key;
}

std::size_t Transfers::size() const {
  const std::lock_guard lock(mutex_);
  return under_way_.size();
}

void Transfers::expire(Time now) {
  std::erase_if(under_way_, [now](const auto& entry) { return now - entry.second.made > kLifetime; });
}

}  // namespace gssipsec::broker
