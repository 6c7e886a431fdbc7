// SPDX-License-Identifier: MIT
// A policy of the SPD as the kernel compares it. Pure values; decoded by kernel/, walked by the resolver.
#pragma once

#include <cstdint>
#include <vector>

#include "channel/address.h"
#include "channel/flow.h"

namespace gssipsec::channel {

enum class Direction : std::uint8_t { in = 0, out = 1, forward = 2, other = 255 };

// Ports as value and mask in host order, like the kernel's. `ifindex` 0 and `protocol` 0 match anything. The
// kernel never matches `user` but shows it.
struct Selector {
  Family family = Family::none;  // none: every family
  Prefix source, destination;
  std::uint16_t source_port = 0, source_port_mask = 0;
  std::uint16_t destination_port = 0, destination_port_mask = 0;
  std::uint8_t protocol = 0;
  std::uint32_t ifindex = 0;
  std::uint32_t user = 0;

  auto operator<=>(const Selector&) const = default;
};

struct Mark {
  std::uint32_t value = 0, mask = 0;
  auto operator<=>(const Mark&) const = default;
  [[nodiscard]] bool matches(std::uint32_t mark) const noexcept { return (mark & mask) == value; }
};

// IP protocol numbers of the transforms.
inline constexpr std::uint8_t kProtoEsp = 50, kProtoAh = 51, kProtoComp = 108;

struct Template {
  std::uint8_t protocol = kProtoEsp;
  Mode mode = Mode::transport;
  Family family = Family::none;  // of the outer addresses
  Address source, destination;   // outer; any: taken from the flow
  std::uint32_t spi = 0;         // 0: any
  std::uint32_t reqid = 0;
  bool optional = false;         // "level use": clear text may pass
  std::uint32_t auth_algorithms = 0xffffffff, encryption_algorithms = 0xffffffff, compression_algorithms = 0xffffffff;

  auto operator<=>(const Template&) const = default;
};

enum class Action : std::uint8_t { allow = 0, block = 1 };

struct Policy {
  std::uint32_t index = 0;     // of the kernel; unique with the direction
  Direction direction = Direction::other;
  Selector selector;
  std::uint32_t priority = 0;  // the smallest wins; then the older
  Action action = Action::allow;
  bool sub_policy = false;     // XFRM_POLICY_TYPE_SUB
  std::uint8_t flags = 0;
  Mark mark;
  std::uint32_t if_id = 0;
  std::uint64_t order = 0;     // insertion order, ascending (position in the dump, then arrival of events)
  bool order_unsure = false;   // among others of equal priority that are unsure too: a dump does not tell their order
  std::uint64_t added = 0;     // seconds since 1970, of the kernel
  std::vector<Template> templates;
  bool incomplete = false;     // carries something that the decoder does not know and that may change matching

  bool operator==(const Policy&) const = default;
};

}  // namespace gssipsec::channel
