// SPDX-License-Identifier: MIT
#include <algorithm>

#include "tests/differential/generator.h"

namespace gssipsec::differential {

using channel::Address;
using channel::Direction;
using channel::Family;
using channel::Mode;
using channel::Policy;
using channel::Selector;
using channel::Template;

Aim aim_of(const channel::Flow& flow, Direction direction) {
  const auto protocol = static_cast<std::uint8_t>(flow.protocol);
  if (direction == Direction::out) return {direction, flow.local, flow.remote, flow.local_port, flow.remote_port, protocol, flow.mark};
  return {direction, flow.remote, flow.local, flow.remote_port, flow.local_port, protocol, flow.mark};
}

bool Generator::feature(std::uint32_t percent, const char* name) {
  if (!random_.chance(percent)) return false;
  features_.insert(name);
  return true;
}

// Another address of the same host.
Address Generator::other(const Address& address) {
  const auto& a = addresses_of_a(address.family);
  return random_.of(std::ranges::find(a, address) != a.end() ? a : addresses_of_b(address.family));
}

// Around the address, now and then beside it. What is behind the prefix may be anything.
channel::Prefix Generator::prefix(const Address& address) {
  const auto bits = static_cast<std::uint32_t>(address.size() * 8);
  channel::Prefix out{address, static_cast<std::uint8_t>(bits)};
  const std::uint32_t how = random_.below(100);
  if (how < 20) out.length = 0;
  else if (how < 60) out.length = static_cast<std::uint8_t>(bits - random_.below(how < 40 ? 9 : bits));
  if (out.length < bits) features_.insert("prefix");
  for (std::uint32_t bit = out.length; bit < bits; ++bit)
    if (random_.chance(25)) out.address.octets[bit / 8] ^= static_cast<std::byte>(0x80 >> bit % 8);
  if (out.length > 0 && random_.chance(6)) {
    const std::uint32_t bit = random_.below(out.length);
    out.address.octets[bit / 8] ^= static_cast<std::byte>(0x80 >> bit % 8);
  }
  return out;
}

void Generator::ports(const Aim& aim, Selector& selector) {
  const auto one = [this](std::uint16_t port, std::uint16_t& value, std::uint16_t& mask) {
    if (!feature(30, "ports")) return;
    mask = feature(40, "port-masks") ? static_cast<std::uint16_t>(random_.next()) : std::uint16_t{0xffff};
    value = random_.chance(88) ? port : static_cast<std::uint16_t>(port ^ (1 << random_.below(16)));
  };
  one(aim.source_port, selector.source_port, selector.source_port_mask);
  one(aim.destination_port, selector.destination_port, selector.destination_port_mask);
}

Selector Generator::selector(const Aim& aim) {
  Selector out;
  out.family = aim.source.family;
  out.source = prefix(aim.source);
  out.destination = prefix(aim.destination);
  ports(aim, out);
  if (feature(40, "protocol")) out.protocol = random_.chance(85) ? aim.protocol : random_.of<std::uint8_t>({1, 6, 17, 132});
  if (feature(5, "ifindex")) out.ifindex = 1 + random_.below(4);
  if (feature(8, "user")) out.user = random_.of({1000u, 1u});
  if (random_.chance(3)) {  // of the other family
    features_.insert("other-family");
    out = {};
    out.family = aim.source.family == Family::ipv4 ? Family::ipv6 : Family::ipv4;
    out.source.address.family = out.destination.address.family = out.family;
  }
  return out;
}

Template Generator::entry(const Aim& aim, Address& source, Address& destination) {
  Template out;
  const std::uint32_t proto = random_.below(100), mode = random_.below(100);
  // Not much compression: each SA's workspace costs user-mode-linux as much as all the rest of a case.
  out.protocol = proto < 74 ? channel::kProtoEsp : proto < 97 ? channel::kProtoAh : channel::kProtoComp;
  out.mode = mode < 55 ? Mode::transport : mode < 85 ? Mode::tunnel : Mode::beet;
  // A BEET SA carries what is between the addresses of its selector, here the flow's. Linux 6.1 gives it other packets, too, and
  // panics in esp6_output_tail() where they are of another family.
  if (out.mode == Mode::beet && (source != aim.source || destination != aim.destination)) out.mode = Mode::tunnel;
  if (out.mode == Mode::beet) out.protocol = channel::kProtoEsp;
  features_.insert(out.mode == Mode::transport ? "transport" : out.mode == Mode::tunnel ? "tunnel" : "beet");
  features_.insert(out.protocol == channel::kProtoEsp ? "esp" : out.protocol == channel::kProtoAh ? "ah" : "ipcomp");
  if (out.mode != Mode::transport) {
    if (families_cross_ && feature(20, "cross-family")) {
      const Family family = source.family == Family::ipv4 ? Family::ipv6 : Family::ipv4;
      const bool away = aim.direction == Direction::out;
      source = (away ? addresses_of_a(family) : addresses_of_b(family)).front();
      destination = (away ? addresses_of_b(family) : addresses_of_a(family)).front();
    }
    if (random_.chance(20)) source = other(source);
    if (random_.chance(20)) destination = other(destination);
  }
  out.family = source.family;
  out.source = source;
  out.destination = destination;
  if (out.mode != Mode::transport && feature(6, "open-tunnel-end")) out.source = {out.family, {}};
  out.reqid = random_.chance(12) ? 0 : 1 + random_.below(3);
  if (out.mode == Mode::transport || aim.direction == Direction::in) out.optional = feature(8, "optional");
  if (feature(3, "algorithm-masks")) out.auth_algorithms = static_cast<std::uint32_t>(random_.next());
  return out;
}

std::vector<Template> Generator::templates(const Aim& aim) {
  const std::uint32_t how = random_.below(100);
  const std::uint32_t count = how < 12 ? 0 : how < 75 ? 1 : how < 94 ? 2 : how < 98 ? 3 : 4 + random_.below(3);
  if (count > 1) features_.insert("several-templates");
  std::vector<Template> out;
  Address source = aim.source, destination = aim.destination;
  for (std::uint32_t i = 0; i < count; ++i) {
    Template next = entry(aim, source, destination);
    // Two templates rarely ask for the same.
    if (!out.empty() && next.protocol == out.back().protocol && random_.chance(60)) next.protocol = out.back().protocol == channel::kProtoEsp ? channel::kProtoAh : channel::kProtoEsp;
    if (next.mode == Mode::beet) next.protocol = channel::kProtoEsp;
    out.push_back(next);
  }
  return out;
}

Policy Generator::policy(Direction direction) {
  const Aim aim = aim_of(flow_, direction);
  Policy out;
  out.direction = direction;
  out.selector = selector(aim);
  out.priority = random_.of({100u, 100u, 100u, 200u, 300u});
  if (feature(12, "block")) out.action = channel::Action::block;
  if (!families_cross_ && feature(28, "sub-policy")) out.sub_policy = true;
  if (feature(10, "mark")) {
    out.mark.mask = random_.of({0xffffffffu, 0xffu, 0x3u});
    out.mark.value = (random_.chance(70) ? aim.mark : random_.of({1u, 2u, 5u})) & out.mark.mask;
  }
  if (feature(4, "if_id")) out.if_id = random_.of({1u, 7u});
  if (random_.chance(8)) out.flags = random_.of<std::uint8_t>({1, 2});  // XFRM_POLICY_LOCALOK, XFRM_POLICY_ICMP
  if (out.action == channel::Action::allow) out.templates = templates(aim);
  return out;
}

Policy Generator::reversed(const Policy& policy) const {
  Policy out = policy;
  out.direction = policy.direction == Direction::out ? Direction::in : Direction::out;
  Selector& selector = out.selector;
  std::swap(selector.source, selector.destination);
  std::swap(selector.source_port, selector.destination_port);
  std::swap(selector.source_port_mask, selector.destination_port_mask);
  for (Template& entry : out.templates) std::swap(entry.source, entry.destination);
  return out;
}

}  // namespace gssipsec::differential
