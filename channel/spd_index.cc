// SPDX-License-Identifier: MIT
#include "channel/spd_index.h"

#include <algorithm>

namespace gssipsec::channel {

std::uint64_t SpdIndex::name_of(std::uint32_t index, Direction direction) noexcept {
  return std::uint64_t{index} << 8 | static_cast<std::uint64_t>(direction);
}

SpdIndex::Shape SpdIndex::shape_of(const Policy& policy) noexcept {
  return {policy.direction, policy.selector.source.length, policy.selector.destination.length};
}

AddressPair SpdIndex::key_of(const Shape& shape, const Address& source, const Address& destination) noexcept {
  return {masked(source, shape.source_length), masked(destination, shape.destination_length)};
}

void SpdIndex::count(const Policy& policy, bool comes) noexcept {
  if (policy.templates.empty() || (policy.direction != Direction::in && policy.direction != Direction::out)) return;
  comes ? ++with_templates_ : --with_templates_;
}

void SpdIndex::put(Policy policy) {
  remove(policy.index, policy.direction);
  last_order_ = std::max(last_order_, policy.order);
  count(policy, true);
  const Shape shape = shape_of(policy);
  const AddressPair key = key_of(shape, policy.selector.source.address, policy.selector.destination.address);
  const std::uint64_t name = name_of(policy.index, policy.direction);
  policies_[name] = &shapes_[shape].emplace(key, std::move(policy))->second;
}

void SpdIndex::remove(std::uint32_t index, Direction direction) {
  const auto name = policies_.find(name_of(index, direction));
  if (name == policies_.end()) return;
  const Policy& policy = *name->second;
  const auto shape = shapes_.find(shape_of(policy));
  Table& table = shape->second;
  const auto [first, last] = table.equal_range(key_of(shape->first, policy.selector.source.address, policy.selector.destination.address));
  count(policy, false);
  table.erase(std::find_if(first, last, [&policy](const auto& entry) { return &entry.second == &policy; }));
  if (table.empty()) shapes_.erase(shape);
  policies_.erase(name);
}

const Policy* SpdIndex::find(std::uint32_t index, Direction direction) const {
  const auto name = policies_.find(name_of(index, direction));
  return name == policies_.end() ? nullptr : name->second;
}

void SpdIndex::each(const std::function<void(const Policy&)>& visit) const {
  for (const auto& [name, policy] : policies_) visit(*policy);
}

std::optional<std::vector<const Policy*>> SpdIndex::matching(const Packet& packet, std::size_t most) const {
  std::vector<const Policy*> found;
  const auto first = shapes_.lower_bound({packet.direction, 0, 0});
  for (auto shape = first; shape != shapes_.end() && shape->first.direction == packet.direction; ++shape) {
    const auto [begin, end] = shape->second.equal_range(key_of(shape->first, packet.source, packet.destination));
    for (auto entry = begin; entry != end; ++entry)
      if (match(entry->second.selector, packet) != Match::no) found.push_back(&entry->second);
    if (found.size() > most) return std::nullopt;
  }
  return found;
}

}  // namespace gssipsec::channel
