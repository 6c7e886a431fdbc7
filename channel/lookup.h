// SPDX-License-Identifier: MIT
// The kernel's policy lookup (xfrm_policy_lookup, Linux 6.1) over a mirrored SPD. Pure.
#pragma once

#include <vector>

#include "channel/resolver.h"

namespace gssipsec::channel {

// What the lookup compares: the packet's own source and destination, so the inbound one is the flow reversed.
struct Packet {
  Direction direction = Direction::out;
  Address source, destination;
  std::uint16_t source_port = 0, destination_port = 0;
  std::uint8_t protocol = 0;
  std::uint32_t ifindex = 0;  // 0: not known; an inbound packet's is never known
  std::uint32_t mark = 0, if_id = 0;
  bool any_mark = false;      // its mark may be any: netfilter gives inbound packets theirs
};
[[nodiscard]] Packet packet_of(const Flow& flow, Direction direction);

// Does the selector match as far as it can be known? A selector of one device is left open where the device is: it is sure for
// what leaves by IPv4 only, whose look-up has the route's device in every kernel. By IPv6 it has that of SO_BINDTODEVICE or
// none, until netfilter looks again; what comes in has the device of the local route.
enum class Match : std::uint8_t { no, maybe, yes };
[[nodiscard]] Match match(const Selector& selector, const Packet& packet) noexcept;

// Why nobody can say which policy the kernel takes.
enum class Doubt : std::uint8_t {
  none,
  device,      // a selector names the device
  attributes,  // a policy carries what is not understood
  order,       // a dump does not tell the order of equal priorities
  tables,      // policies for two single addresses are kept apart from the others; kernels before 6.12 mostly take them first,
               // younger ones the older policy
};
[[nodiscard]] const char* doubt_text(Doubt doubt) noexcept;

// The policies that apply together to one packet: none, the main one, a sub policy, or a sub policy and then the main
// one. They point into the SPD that was asked.
struct Path {
  std::vector<const Policy*> policies;
  Doubt doubt = Doubt::none;  // a policy that cannot be judged would come first
};
// Exactly one path, unless the packet's mark may be any: then every path that some mark leads to.
[[nodiscard]] std::vector<Path> lookup(const Spd& spd, const Packet& packet);

}  // namespace gssipsec::channel
