// SPDX-License-Identifier: MIT
#include "channel/lookup.h"

#include <algorithm>
#include <tuple>

namespace gssipsec::channel {
namespace {

struct Candidate {
  const Policy* policy = nullptr;  // null: no policy of this type matches
  Doubt doubt = Doubt::none;
  bool by_mark = false;            // only packets of its mark
};

bool masked_equal(std::uint16_t a, std::uint16_t b, std::uint16_t mask) { return ((a ^ b) & mask) == 0; }

// Addresses, ports and protocol: everything but the device.
bool same_traffic(const Selector& selector, const Address& source, const Address& destination, std::uint16_t source_port,
                  std::uint16_t destination_port, std::uint8_t protocol) noexcept {
  return (selector.family == Family::none || selector.family == source.family) && selector.source.contains(source) &&
         selector.destination.contains(destination) && masked_equal(source_port, selector.source_port, selector.source_port_mask) &&
         masked_equal(destination_port, selector.destination_port, selector.destination_port_mask) &&
         (selector.protocol == 0 || selector.protocol == protocol);
}

Match fits(const Policy& policy, const Packet& packet, bool sub) {
  if (policy.direction != packet.direction || policy.sub_policy != sub || policy.if_id != packet.if_id) return Match::no;
  if (!packet.any_mark && !policy.mark.matches(packet.mark)) return Match::no;
  const Match how = match(policy.selector, packet);
  // The kernel's policies have a family (xfrm_policy_match compares it); one without is not understood.
  const bool odd = policy.incomplete || policy.selector.family == Family::none;
  return how == Match::yes && odd ? Match::maybe : how;
}

bool comes_before(const Candidate& a, const Candidate& b) {
  return std::tie(a.policy->priority, a.policy->order) < std::tie(b.policy->priority, b.policy->order);
}

// SAs are looked up by the policy's mark: the same templates under another mark are other SAs.
bool same_effect(const Policy& a, const Policy& b) {
  if (a.action != b.action) return false;
  return a.action == Action::block || (a.templates == b.templates && a.mark == b.mark);
}

// Policies for one address on either side have a hash table of their own (default thresholds of XFRM_MSG_NEWSPDINFO).
bool is_exact(const Policy& policy) {
  const std::size_t bits = policy.selector.family == Family::ipv4 ? 32 : 128;
  return policy.selector.source.length == bits && policy.selector.destination.length == bits;
}

// Another of the same priority may come before it and would do something else.
Doubt contested(const Policy& one, const std::vector<Candidate>& all) {
  for (const Candidate& other : all) {
    if (other.policy->priority != one.priority || same_effect(one, *other.policy)) continue;
    if (is_exact(one) != is_exact(*other.policy)) return Doubt::tables;
    if (one.order_unsure && other.policy->order_unsure) return Doubt::order;
  }
  return Doubt::none;
}

Doubt doubt_of(const Policy& policy, Match how) {
  if (how != Match::maybe) return Doubt::none;
  return policy.selector.ifindex != 0 ? Doubt::device : Doubt::attributes;
}

// In the kernel's order, up to the first that every packet of this kind meets.
std::vector<Candidate> candidates(const Spd& spd, const Packet& packet, bool sub) {
  std::vector<Candidate> found;
  for (const Policy& policy : spd.policies)
    if (const Match how = fits(policy, packet, sub); how != Match::no)
      found.push_back({&policy, doubt_of(policy, how), packet.any_mark && policy.mark.mask != 0});
  std::ranges::sort(found, comes_before);
  for (Candidate& one : found) {
    if (one.doubt == Doubt::none) one.doubt = contested(*one.policy, found);
    if (!one.by_mark) break;
  }
  const auto last = std::ranges::find_if(found, [](const Candidate& one) { return !one.by_mark; });
  if (last == found.end()) found.emplace_back();
  else found.erase(last + 1, found.end());
  return found;
}

Path path_of(const Candidate& sub, const Candidate& main) {
  Path path;
  for (const Candidate* one : {&sub, &main}) {
    if (one->policy) path.policies.push_back(one->policy);
    if (path.doubt == Doubt::none) path.doubt = one->doubt;
  }
  return path;
}

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
  packet.ifindex = out ? flow.output_ifindex : 0;
  packet.mark = flow.mark;
  packet.if_id = flow.if_id;
  return packet;
}

bool matches(const Selector& selector, const Address& source, const Address& destination, std::uint16_t source_port,
             std::uint16_t destination_port, std::uint8_t protocol, std::uint32_t ifindex) noexcept {
  return same_traffic(selector, source, destination, source_port, destination_port, protocol) &&
         (selector.ifindex == 0 || selector.ifindex == ifindex);
}

Match match(const Selector& selector, const Packet& packet) noexcept {
  if (!same_traffic(selector, packet.source, packet.destination, packet.source_port, packet.destination_port, packet.protocol)) return Match::no;
  if (selector.ifindex == 0) return Match::yes;
  if (packet.ifindex != 0 && packet.ifindex != selector.ifindex) return Match::no;
  const bool sure = packet.ifindex != 0 && packet.direction == Direction::out && packet.source.family == Family::ipv4;
  return sure ? Match::yes : Match::maybe;
}

const char* doubt_text(Doubt doubt) noexcept {
  switch (doubt) {
    case Doubt::none: break;
    case Doubt::device: return "a policy that could apply names a device";
    case Doubt::attributes: return "a policy that could apply has attributes that are not understood";
    case Doubt::order: return "a dump does not tell which of the policies of equal priority is older";
    case Doubt::tables: return "of equal priority, a policy for two single addresses and another one: kernels differ in which comes first";
  }
  return "";
}

// xfrm_policy_lookup: sub policies first. xfrm_expand_policies: behind one that allows, the main policy applies too.
std::vector<Path> lookup(const Spd& spd, const Packet& packet) {
  std::vector<Path> paths;
  const std::vector<Candidate> mains = candidates(spd, packet, false);
  for (const Candidate& sub : candidates(spd, packet, true)) {
    if (sub.policy && sub.policy->action == Action::block) {
      paths.push_back(path_of(sub, {}));
      continue;
    }
    for (const Candidate& main : mains) paths.push_back(path_of(sub, main));
  }
  return paths;
}

}  // namespace gssipsec::channel
