// SPDX-License-Identifier: MIT
#include "broker/latch_index.h"

#include <algorithm>

#include "channel/lookup.h"

namespace gssipsec::broker {
namespace {

using channel::Direction;
using channel::Policy;

template <typename Map, typename Name>
void drop(Map& map, const Name& name, LatchIndex::Key key) {
  const auto entry = map.find(name);
  if (entry == map.end()) return;
  entry->second.erase(key);
  if (entry->second.empty()) map.erase(entry);
}

bool meets(const Policy& policy, const channel::Flow& flow) {
  return channel::match(policy.selector, channel::packet_of(flow, policy.direction)) != channel::Match::no;
}

// The two ends that a policy is for, where it is for no more than two.
std::optional<channel::AddressPair> ends_of(const Policy& policy) {
  const auto& [source, destination] = std::pair(policy.selector.source, policy.selector.destination);
  const auto whole = [](const channel::Prefix& prefix) { return prefix.length == (prefix.address.family == channel::Family::ipv4 ? 32 : 128); };
  if (!whole(source) || !whole(destination)) return std::nullopt;
  if (policy.direction == Direction::out) return channel::AddressPair{source.address, destination.address};
  return channel::AddressPair{destination.address, source.address};
}

}  // namespace

void LatchIndex::add(const Key& key, const channel::Flow& flow, Footing footing) {
  remove(key);
  for (const std::uint32_t reqid : footing.reqids) by_reqid_[reqid].insert(key);
  if (footing.any_sa) of_any_sa_.insert(key);
  by_ends_[{flow.local, flow.remote}].insert(key);
  entries_.emplace(key, Entry{flow, std::move(footing)});
}

void LatchIndex::put_unsettled(Key key, const channel::Flow& flow) {
  add(key, flow, {{}, true});
  unsettled_.insert(key);
}

void LatchIndex::put(Key key, const channel::Flow& flow, Footing footing) {
  const auto known = entries_.find(key);
  const bool same = known != entries_.end() && known->second.flow == flow && known->second.footing.any_sa == footing.any_sa &&
                    known->second.footing.reqids == footing.reqids;
  if (!same) add(key, flow, std::move(footing));
  unsettled_.erase(key);
}

void LatchIndex::remove(Key key) {
  const auto entry = entries_.find(key);
  if (entry == entries_.end()) return;
  for (const std::uint32_t reqid : entry->second.footing.reqids) drop(by_reqid_, reqid, key);
  drop(by_ends_, channel::AddressPair{entry->second.flow.local, entry->second.flow.remote}, key);
  of_any_sa_.erase(key);
  unsettled_.erase(key);
  entries_.erase(entry);
}

void LatchIndex::policies(const Changes& changes, Keys& found) const {
  for (const Policy& policy : changes.policies) {
    if (const auto ends = ends_of(policy)) {
      const auto those = by_ends_.find(*ends);
      if (those == by_ends_.end()) continue;
      std::ranges::copy_if(those->second, std::inserter(found, found.end()), [&](Key key) { return meets(policy, entries_.at(key).flow); });
    } else {
      for (const auto& [key, entry] : entries_)
        if (meets(policy, entry.flow)) found.insert(key);
    }
  }
}

std::optional<std::vector<LatchIndex::Key>> LatchIndex::concerned(const Changes& changes) const {
  if (changes.everything || changes.all_sas) return std::nullopt;
  Keys found = unsettled_;
  if (!changes.reqids.empty()) found.insert(of_any_sa_.begin(), of_any_sa_.end());
  for (const std::uint32_t reqid : changes.reqids)
    if (const auto those = by_reqid_.find(reqid); those != by_reqid_.end()) found.insert(those->second.begin(), those->second.end());
  policies(changes, found);
  return std::vector<Key>(found.begin(), found.end());
}

}  // namespace gssipsec::broker
