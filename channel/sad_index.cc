// SPDX-License-Identifier: MIT
#include "channel/sad_index.h"

#include <algorithm>
#include <utility>

namespace gssipsec::channel {

bool SadIndex::Chain::longer_than(std::size_t count) const {
  auto at = begin();
  for (; count > 0 && at != end(); --count) ++at;
  return at != end();
}

void SadIndex::push(Held*& head, Held& held, Which which) {
  held.links[which] = {nullptr, head};
  if (head) head->links[which].before = &held;
  head = &held;
}

template <typename Heads, typename Key>
void SadIndex::pull(Heads& heads, const Key& key, Held& held, Which which) {
  const auto [before, after] = held.links[which];
  if (after) after->links[which].before = before;
  if (before) before->links[which].after = after;
  else if (after) heads[key] = after;
  else heads.erase(key);
}

void SadIndex::link(Held& held) {
  push(heads_of_reqids_[held.sa.reqid], held, kReqid);
  push(heads_of_pairs_[{held.sa.source, held.sa.id.destination}], held, kPair);
}

void SadIndex::unlink(Held& held) {
  pull(heads_of_reqids_, held.sa.reqid, held, kReqid);
  pull(heads_of_pairs_, AddressPair{held.sa.source, held.sa.id.destination}, held, kPair);
}

SadIndex::Held& SadIndex::add(Sa sa, const Arrival& arrival) {
  const SaId id = sa.id;
  Held& held = held_.emplace(id, Held{})->second;
  held.sa = std::move(sa);
  link(held);
  arrive(id, arrival);
  return held;
}

// The name stays: it is what the SA is found by.
void SadIndex::replace(Held& held, Sa sa) {
  unlink(held);
  held.sa = std::move(sa);
  link(held);
}

void SadIndex::remove(const Held& held) {
  const auto [first, last] = held_.equal_range(held.sa.id);
  const auto at = std::find_if(first, last, [&held](const auto& entry) { return &entry.second == &held; });
  if (at == last) return;
  unlink(at->second);
  held_.erase(at);
}

void SadIndex::remove_if(const std::function<bool(const Sa&)>& gone) {
  for (auto entry = held_.begin(); entry != held_.end();) {
    if (!gone(entry->second.sa)) {
      ++entry;
      continue;
    }
    unlink(entry->second);
    entry = held_.erase(entry);
  }
}

SadIndex::Found SadIndex::find(const SaId& id) {
  const auto [first, last] = held_.equal_range(id);
  return first == last ? Found{} : Found{&first->second, static_cast<std::size_t>(std::distance(first, last))};
}

const SadIndex::Held* SadIndex::find(const SaId& id, const Mark& mark) const {
  const auto [first, last] = held_.equal_range(id);
  const auto at = std::find_if(first, last, [&mark](const auto& entry) { return entry.second.sa.mark == mark; });
  return at == last ? nullptr : &at->second;
}

SadIndex::Held* SadIndex::find(const SaId& id, const Mark& mark) { return const_cast<Held*>(std::as_const(*this).find(id, mark)); }

void SadIndex::arrive(const SaId& id, const Arrival& arrival) {
  const auto [first, last] = held_.equal_range(id);
  for (auto entry = first; entry != last; ++entry)
    if (entry->second.arrival.sequence < arrival.sequence) entry->second.arrival = arrival;
}

SadIndex::Chain SadIndex::of_reqid(std::uint32_t reqid) const {
  const auto head = heads_of_reqids_.find(reqid);
  return head == heads_of_reqids_.end() ? Chain(nullptr, kReqid) : Chain(head->second, kReqid);
}

SadIndex::Chain SadIndex::between(const Address& source, const Address& destination) const {
  const auto head = heads_of_pairs_.find({source, destination});
  return head == heads_of_pairs_.end() ? Chain(nullptr, kPair) : Chain(head->second, kPair);
}

void SadIndex::each(const std::function<void(const Held&)>& visit) const {
  for (const auto& [id, held] : held_) visit(held);
}

}  // namespace gssipsec::channel
