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
  const Shape shape = shape_of(policy);
  auto held = std::make_unique<const Policy>(std::move(policy));
  const Selector& selector = held->selector;
  shapes_[shape][key_of(shape, selector.source.address, selector.destination.address)].push_back(held.get());
  count(*held, true);
  const std::uint64_t name = name_of(held->index, held->direction);
  policies_.emplace(name, std::move(held));
}

void SpdIndex::remove(std::uint32_t index, Direction direction) {
  const auto held = policies_.find(name_of(index, direction));
  if (held == policies_.end()) return;
  const Policy& policy = *held->second;
  const auto table = shapes_.find(shape_of(policy));
  const auto bucket = table->second.find(key_of(table->first, policy.selector.source.address, policy.selector.destination.address));
  std::erase(bucket->second, &policy);
  if (bucket->second.empty()) table->second.erase(bucket);
  if (table->second.empty()) shapes_.erase(table);
  count(policy, false);
  policies_.erase(held);
}

const Policy* SpdIndex::find(std::uint32_t index, Direction direction) const {
  const auto held = policies_.find(name_of(index, direction));
  return held == policies_.end() ? nullptr : held->second.get();
}

void SpdIndex::each(const std::function<void(const Policy&)>& visit) const {
  for (const auto& [name, policy] : policies_) visit(*policy);
}

std::optional<std::vector<const Policy*>> SpdIndex::matching(const Packet& packet, std::size_t most) const {
  std::vector<const Policy*> found;
  const auto first = shapes_.lower_bound({packet.direction, 0, 0});
  for (auto shape = first; shape != shapes_.end() && shape->first.direction == packet.direction; ++shape) {
    const auto bucket = shape->second.find(key_of(shape->first, packet.source, packet.destination));
    if (bucket == shape->second.end()) continue;
    for (const Policy* policy : bucket->second)
      if (match(policy->selector, packet) != Match::no) found.push_back(policy);
    if (found.size() > most) return std::nullopt;
  }
  return found;
}

}  // namespace gssipsec::channel
