// SPDX-License-Identifier: MIT
#include "broker/names.h"

namespace gssipsec::broker {

Caller Names::caller(std::uint32_t uid, Time now) {
  Caller who;
  who.uid = uid;
  if (uid == overflow_ || uid == ~0U) return who;
  who.privileged = uid == 0;
  std::optional<std::string> name;
  {
    const std::lock_guard lock(mutex_);
    const auto known = cache_.find(uid);
    if (known != cache_.end() && now - known->second.when < kLifetime) {
      who.user = known->second.name.value_or("");
      who.anonymous = !who.privileged && !known->second.name;
      return who;
    }
  }
  name = host_->user_name(uid);
  const std::lock_guard lock(mutex_);
  if (cache_.size() >= kLimit) cache_.clear();
  cache_[uid] = {name, now};
  who.user = name.value_or("");
  who.anonymous = !who.privileged && !name;
  return who;
}

}  // namespace gssipsec::broker
