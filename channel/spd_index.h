// SPDX-License-Identifier: MIT
// The SPD, found by the kernel's index and by the addresses of a packet. Selectors of equal direction and prefix lengths
// share a table by the masked addresses, so a look-up costs one probe for each such shape, and there are few of them however
// many policies there are. Gives all that may match; priority and order are the look-up's business (lookup.h).
// Not thread-safe: its owner locks.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <unordered_map>

#include "channel/hash.h"
#include "channel/lookup.h"
#include "channel/resolver.h"

namespace gssipsec::channel {

class SpdIndex {
 public:
  Action default_in = Action::allow, default_out = Action::allow;

  [[nodiscard]] std::size_t size() const noexcept { return policies_.size(); }
  // Takes the place of one of the same index and direction.
  void put(Policy policy);
  void remove(std::uint32_t index, Direction direction);
  [[nodiscard]] const Policy* find(std::uint32_t index, Direction direction) const;
  void each(const std::function<void(const Policy&)>& visit) const;
  [[nodiscard]] bool has_templates() const noexcept { return with_templates_ > 0; }  // any policy in or out
  [[nodiscard]] std::uint64_t next_order() const noexcept { return last_order_ + 1; }

  // The policies of the packet's direction whose selectors may match it; nothing when more than `most` do.
  [[nodiscard]] std::optional<std::vector<const Policy*>> matching(const Packet& packet, std::size_t most) const;

 private:
  struct Shape {
    Direction direction;
    std::uint8_t source_length, destination_length;
    auto operator<=>(const Shape&) const = default;
  };
  using Table = std::unordered_multimap<AddressPair, const Policy, Hash>;
  [[nodiscard]] static std::uint64_t name_of(std::uint32_t index, Direction direction) noexcept;
  [[nodiscard]] static Shape shape_of(const Policy& policy) noexcept;
  [[nodiscard]] static AddressPair key_of(const Shape& shape, const Address& source, const Address& destination) noexcept;
  void count(const Policy& policy, bool comes) noexcept;

  std::unordered_map<std::uint64_t, const Policy*> policies_;  // in the tables
  std::map<Shape, Table> shapes_;
  std::size_t with_templates_ = 0;
  std::uint64_t last_order_ = 0;
};

}  // namespace gssipsec::channel
