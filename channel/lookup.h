// SPDX-License-Identifier: MIT
// The kernel's policy lookup (xfrm_policy_lookup, Linux 6.1) over a mirrored SPD. Pure.
#pragma once

#include <optional>

#include "channel/resolver.h"

namespace gssipsec::channel {

// What the lookup compares: the packet's own source and destination, so the inbound one is the flow reversed.
struct Packet {
  Direction direction = Direction::out;
  Address source, destination;
  std::uint16_t source_port = 0, destination_port = 0;
  std::uint8_t protocol = 0;
  std::uint32_t ifindex = 0, mark = 0, if_id = 0;
};
[[nodiscard]] Packet packet_of(const Flow& flow, Direction direction);

struct Found {
  std::optional<Policy> policy;  // a sub policy carries the main policy's templates behind its own, as in the kernel
  bool uncertain = false;        // a policy that cannot be judged would come first
};
[[nodiscard]] Found lookup(const Spd& spd, const Packet& packet);

}  // namespace gssipsec::channel
