// SPDX-License-Identifier: MIT
// A bounded memory: what was put there is found for `lifetime`, and the oldest makes room for the newest. Not for several
// threads at once: the owner has a lock.
#pragma once

#include <deque>
#include <map>
#include <utility>

#include "broker/board.h"

namespace gssipsec::broker {

template <typename Key, typename Value>
class Aging {
 public:
  Aging(std::size_t limit, Time::duration lifetime) : limit_(limit), lifetime_(lifetime) {}

  void put(const Key& key, Value value, Time now) {
    while (arrivals_.size() >= limit_) drop_oldest();
    arrivals_.emplace_back(key, now);
    entries_.insert_or_assign(key, Entry{std::move(value), now});
  }
  // Null when it is not there, or too old.
  [[nodiscard]] const Value* find(const Key& key, Time now) const {
    const auto entry = entries_.find(key);
    return entry == entries_.end() || now - entry->second.when > lifetime_ ? nullptr : &entry->second.value;
  }
  void expire(Time now) {
    while (!arrivals_.empty() && now - arrivals_.front().second > lifetime_) drop_oldest();
  }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct Entry {
    Value value;
    Time when;
  };
  void drop_oldest() {
    const auto& [key, when] = arrivals_.front();
    const auto entry = entries_.find(key);
    if (entry != entries_.end() && entry->second.when == when) entries_.erase(entry);
    arrivals_.pop_front();
  }

  const std::size_t limit_;
  const Time::duration lifetime_;
  std::map<Key, Entry> entries_;
  std::deque<std::pair<Key, Time>> arrivals_;  // of all that was put, oldest first; some came again
};

}  // namespace gssipsec::broker
