// SPDX-License-Identifier: MIT
#include "broker/transfers.h"

#include <string.h>

#include <algorithm>

#include "broker/core.h"

namespace gssipsec::broker {

using base::Code;
using base::fail;

base::Result<Transfers::Begun> Transfers::begin(const Holder& holder, LatchParameters latched, Time when) {
  channel::Digest key = random_digest();
  Begun begun{random_digest(), base::Secret(key)};
  explicit_bzero(key.data(), key.size());
  const std::lock_guard lock(mutex_);
  expire(when);
  const auto own = std::ranges::count_if(under_way_, [&holder](const auto& entry) { return entry.second.holder.uid == holder.uid; });
  if (static_cast<std::size_t>(own) >= kPerUser)
    return fail(Code::LIMIT, std::to_string(kPerUser) + " exported contexts of this user wait to be imported");
  under_way_.emplace(begun.id, Entry{holder, begun.key.copy(), std::move(latched), when});
  return begun;
}

// Who asks for another user's is told no more than who asks for one that never was.
base::Result<Transfers::Entries::iterator> Transfers::find(const channel::Digest& id, const Holder& holder, Time when) {
  expire(when);
  const auto found = under_way_.find(id);
  if (found == under_way_.end() || found->second.holder.uid != holder.uid)
    return fail(Code::BAD_TOKEN, "this context was imported before, exported by another user or too long ago, or the broker was restarted");
  if (found->second.holder.cookie != holder.cookie) return fail(Code::SOCKET_CHANGED, "this context was exported for another connection");
  return found;
}

base::Result<LatchParameters> Transfers::latched(const channel::Digest& id, const Holder& holder, Time when) {
  const std::lock_guard lock(mutex_);
  const auto found = find(id, holder, when);
  if (!found) return found.error();
  return (*found)->second.latched;
}

base::Result<base::Secret> Transfers::take(const channel::Digest& id, const Holder& holder, Time when) {
  const std::lock_guard lock(mutex_);
  const auto found = find(id, holder, when);
  if (!found) return found.error();
  base::Secret key = std::move((*found)->second.key);
  under_way_.erase(*found);
  return key;
}

std::size_t Transfers::size() const {
  const std::lock_guard lock(mutex_);
  return under_way_.size();
}

void Transfers::expire(Time when) {
  std::erase_if(under_way_, [when](const auto& entry) { return when - entry.second.made > kLifetime; });
}

}  // namespace gssipsec::broker
