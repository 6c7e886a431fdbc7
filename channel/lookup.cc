// SPDX-License-Identifier: MIT
#include "channel/lookup.h"

#include <tuple>

namespace gssipsec::channel {
namespace {

enum class Match : std::uint8_t { no, maybe, yes };

Match match(const Policy& policy, const Packet& packet, bool sub) {
  // A policy has the family of its selector; one without never matches (xfrm_policy_match compares pol->family).
  const bool fits = policy.direction == packet.direction && policy.sub_policy == sub && policy.selector.family == packet.source.family &&
                    policy.if_id == packet.if_id && policy.mark.matches(packet.mark);
  if (!fits) return Match::no;
  // Whether flowi_oif is the route's device or 0 for an unbound socket differs between kernels: a selector for
  // another device cannot match either way, one for this device may.
  const bool by_device = policy.selector.ifindex != 0;
  Selector any_device = policy.selector;
  any_device.ifindex = 0;
  if (!matches(any_device, packet.source, packet.destination, packet.source_port, packet.destination_port, packet.protocol, packet.ifindex)) return Match::no;
  if (by_device && packet.ifindex != 0 && packet.ifindex != policy.selector.ifindex) return Match::no;
  return by_device || policy.incomplete ? Match::maybe : Match::yes;
}

bool comes_before(const Policy& a, const Policy& b) { return std::tie(a.priority, a.order) < std::tie(b.priority, b.order); }

Found lookup_type(const Spd& spd, const Packet& packet, bool sub) {
  const Policy* best = nullptr;
  Match how = Match::no;
  for (const Policy& policy : spd.policies) {
    const Match this_one = match(policy, packet, sub);
    if (this_one == Match::no || (best && !comes_before(policy, *best))) continue;
    best = &policy;
    how = this_one;
  }
  Found found;
  if (best) found.policy = *best;
  found.uncertain = how == Match::maybe;
  return found;
}

bool masked_equal(std::uint16_t a, std::uint16_t b, std::uint16_t mask) { return ((a ^ b) & mask) == 0; }

}  // namespace

Packet packet_of(const Flow& flow, Direction direction) {
  const bool out = direction == Direction::out;
  Packet packet;
  packet.direction = direction;
  packet.source = out ? flow.local : flow.remote;
  packet.destination = out ? flow.remote : flow.local;
  packet.source_port = out ? flow.local_port : flow.remote_port;
  packet.destination_port = out ? flow.remote_port : flow.local_port;
  packet.protocol = static_cast<std::uint8_t>(flow.protocol);
  packet.ifindex = flow.output_ifindex;
  packet.mark = out ? flow.mark : 0;  // an inbound packet has the mark of netfilter, not of the socket
  packet.if_id = flow.if_id;
  return packet;
}

bool matches(const Selector& selector, const Address& source, const Address& destination, std::uint16_t source_port, std::uint16_t destination_port,
             std::uint8_t protocol, std::uint32_t ifindex) noexcept {
  return (selector.family == Family::none || selector.family == source.family) && selector.source.contains(source) &&
         selector.destination.contains(destination) && masked_equal(source_port, selector.source_port, selector.source_port_mask) &&
         masked_equal(destination_port, selector.destination_port, selector.destination_port_mask) &&
         (selector.protocol == 0 || selector.protocol == protocol) && (selector.ifindex == 0 || selector.ifindex == ifindex);
}

Found lookup(const Spd& spd, const Packet& packet) {
  Found sub = lookup_type(spd, packet, true);
  if (sub.policy && (sub.uncertain || sub.policy->action == Action::block)) return sub;
  Found main = lookup_type(spd, packet, false);
  if (!sub.policy) return main;
  if (!main.policy) return sub;
  main.uncertain = main.uncertain || sub.uncertain;
  // xfrm_expand_policies: both must allow; the templates of both apply.
  if (main.policy->action == Action::block) return main;
  sub.uncertain = main.uncertain;
  sub.policy->templates.insert(sub.policy->templates.end(), main.policy->templates.begin(), main.policy->templates.end());
  return sub;
}

}  // namespace gssipsec::channel
