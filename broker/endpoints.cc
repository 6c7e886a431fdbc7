// SPDX-License-Identifier: MIT
#include "broker/endpoints.h"

#include <algorithm>

namespace gssipsec::broker {

using protocol::Reuse;

std::uint32_t Endpoints::add(const EndpointUser& maker, protocol::EndpointRequest what, const std::function<std::uint32_t()>& chance) {
  const Shelf shelf{maker.uid, what.endpoint.local};
  Entry entry{maker.uid, maker.groups.empty() ? ~0U : maker.groups.front(), std::move(what), 0};
  const std::lock_guard lock(mutex_);
  entry.number = ++made_;
  std::uint32_t value = same_as(shelf, entry);
  if (value != 0) {
    forget(value);
  } else {
    make_room(shelf);
    while (value == 0 || value >= kWildcards || entries_.contains(value)) value = chance();
  }
  put(value, std::move(entry));
  return value;
}

// 0: there is none.
std::uint32_t Endpoints::same_as(const Shelf& shelf, const Entry& wanted) const {
  const auto own = shelves_.find(shelf);
  if (own == shelves_.end()) return 0;
  const auto same = std::ranges::find_if(own->second, [&](const auto& aged) {
    const Entry& entry = entries_.at(aged.second);
    return entry.group == wanted.group && entry.what == wanted.what;
  });
  return same == own->second.end() ? 0 : same->second;
}

// A user may have many uids of his own (subuid(5)): their number is no bound. Who has few keeps them.
void Endpoints::make_room(const Shelf& shelf) {
  if (const auto own = shelves_.find(shelf); own != shelves_.end() && own->second.size() >= kPerUser) return forget(own->second.begin()->second);
  if (not_roots_ >= kTotal && shelf.uid != 0) forget(shelves_.at(fullest_.rbegin()->second).begin()->second);
}

void Endpoints::put(std::uint32_t value, Entry entry) {
  const Shelf shelf{entry.uid, entry.what.endpoint.local};
  Ages& ages = shelves_[shelf];
  ages.emplace(entry.number, value);
  count(shelf, ages.size() - 1, ages.size());
  entries_.emplace(value, std::move(entry));
}

void Endpoints::forget(std::uint32_t value) {
  const auto entry = entries_.find(value);
  const auto shelf = shelves_.find({entry->second.uid, entry->second.what.endpoint.local});
  Ages& ages = shelf->second;
  ages.erase(entry->second.number);
  count(shelf->first, ages.size() + 1, ages.size());
  if (ages.empty()) shelves_.erase(shelf);
  entries_.erase(entry);
}

void Endpoints::count(const Shelf& shelf, std::size_t before, std::size_t after) {
  if (shelf.uid == 0) return;
  fullest_.erase({before, shelf});
  if (after > 0) fullest_.emplace(after, shelf);
  not_roots_ += after - before;
}

// Who asks for another user's is told no more than who asks for one that never was.
base::Result<protocol::Endpoint> Endpoints::find(std::uint32_t value, const EndpointUser& user) const {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(value);
  if (entry == entries_.end()) return base::fail(base::Code::NO_ENDPOINT);
  const Entry& found = entry->second;
  const bool in_group = found.what.reuse == Reuse::group && std::ranges::find(user.groups, found.group) != user.groups.end();
  if (found.uid != user.uid && !in_group && found.what.reuse != Reuse::anybody) return base::fail(base::Code::NO_ENDPOINT);
  return found.what.endpoint;
}

}  // namespace gssipsec::broker
