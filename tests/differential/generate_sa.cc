// SPDX-License-Identifier: MIT
#include <algorithm>

#include "tests/differential/generator.h"
#include "tests/differential/suites.h"

namespace gssipsec::differential {

using channel::Address;
using channel::Direction;
using channel::Family;
using channel::Mode;
using channel::Sa;
using channel::Template;

namespace {

channel::Prefix whole(const Address& address) { return {address, static_cast<std::uint8_t>(address.size() * 8)}; }

}  // namespace

// BEET keeps the inner addresses in the SA's selector.
void Generator::name_inner(Sa& sa, const Aim& aim) {
  sa.selector = {};
  sa.selector.family = aim.source.family;
  sa.selector.source = whole(aim.source);
  sa.selector.destination = whole(aim.destination);
}

PutSa Generator::fitting(const Template& entry, const channel::Policy& policy, const Aim& aim) {
  PutSa put;
  Sa& sa = put.sa;
  const bool transport = entry.mode == Mode::transport;
  sa.id = {entry.spi != 0 ? entry.spi : next_spi_++, transport ? aim.destination : entry.destination, entry.protocol};
  sa.source = transport ? aim.source : entry.source;
  if (sa.source.is_any()) sa.source = (aim.direction == Direction::out ? addresses_of_a(entry.family) : addresses_of_b(entry.family)).front();
  sa.reqid = entry.reqid != 0 || aim.direction == Direction::out ? entry.reqid : random_.below(4);
  sa.mode = entry.mode;
  sa.mark = policy.mark;
  sa.if_id = policy.if_id;
  sa.selector.family = transport ? aim.source.family : Family::none;
  if (sa.mode == Mode::beet) name_inner(sa, aim);
  choose_suite(random_, sa);
  if (feature(70, "replay-window")) sa.replay_window = 32;
  if (sa.replay_window > 0 && entry.protocol != channel::kProtoComp) sa.esn = feature(20, "esn");
  if (sa.id.protocol == channel::kProtoEsp && aim.direction == Direction::out && sa.id.destination.family == Family::ipv4 && feature(4, "encapsulated")) {
    sa.encapsulated = true;
    sa.encap_source_port = sa.encap_destination_port = 4500;
  }
  if (feature(6, "set-mark")) {
    put.gives.mask = random_.of({0xffffffffu, 0xffu, 0x3u});
    put.gives.value = random_.of({1u, 2u, 5u}) & put.gives.mask;
  }
  live(put);
  return put;
}

void Generator::live(PutSa& put) {
  if (feature(25, "age")) put.age = 1 + random_.below(1000);
  if (put.sa.id.protocol == channel::kProtoComp) return;
  if (feature(6, "soft-limit")) put.soft_packets = 1;
  if (feature(6, "hard-limit")) put.hard_packets = 1 + random_.below(2);
  if (put.sa.id.protocol == channel::kProtoEsp && feature(2, "numbers-used-up")) put.last_number = true;
}

void Generator::disturb(PutSa& put, const Aim& aim) {
  Sa& sa = put.sa;
  switch (random_.below(11)) {
    case 0: sa.reqid = random_.below(4); features_.insert("sa-reqid"); break;
    case 1: sa.source = other(sa.source); features_.insert("sa-source"); break;
    case 2: sa.id.destination = other(sa.id.destination); features_.insert("sa-destination"); break;
    case 3:
      sa.mode = sa.mode == Mode::transport ? Mode::tunnel : Mode::transport;
      features_.insert("sa-mode");
      break;
    case 4: put.larval = true; features_.insert("larval"); break;
    case 5: sa.mark = {random_.of({1u, 2u, 5u}), random_.of({0xffffffffu, 0xffu, 0x3u})}; sa.mark.value &= sa.mark.mask; features_.insert("sa-mark"); break;
    case 6: sa.if_id = random_.of({1u, 7u}); features_.insert("sa-if_id"); break;
    case 7:
      if (sa.mode == Mode::beet) break;
      sa.selector = selector(aim);
      sa.selector.ifindex = sa.selector.user = 0;
      features_.insert("sa-selector");
      break;
    case 8: sa.source = {sa.source.family, {}}; features_.insert("sa-any-source"); break;
    case 9: sa.id.protocol = random_.of({channel::kProtoEsp, channel::kProtoAh}); sa.encapsulated = false; choose_suite(random_, sa); features_.insert("sa-protocol"); break;
    default:
      if (sa.mode == Mode::beet) break;  // Linux 6.1 misplaces the headers of BEET without a selector
      sa.selector.family = Family::none;
      features_.insert("sa-any-family");
      break;
  }
}

std::vector<PutSa> Generator::sas(const Template& entry, const channel::Policy& policy) {
  const Aim aim = aim_of(flow_, policy.direction);
  const std::uint32_t how = random_.below(100);
  const std::uint32_t count = entry.spi != 0 ? 1 : how < 8 ? 0 : how < 65 ? 1 : how < 90 ? 2 : 3;
  std::vector<PutSa> out;
  for (std::uint32_t i = 0; i < count; ++i) {
    out.push_back(fitting(entry, policy, aim));
    if (random_.chance(25)) disturb(out.back(), aim);
  }
  if (count > 1) features_.insert("several-sas");
  return out;
}

PutSa Generator::stray() {
  const Direction direction = random_.of({Direction::out, Direction::in});
  const channel::Policy around = policy(direction);
  Template any;
  any.family = flow_.local.family;
  const Aim aim = aim_of(flow_, direction);
  any.source = other(aim.source);
  any.destination = other(aim.destination);
  any.reqid = random_.below(4);
  any.mode = random_.of({Mode::transport, Mode::tunnel});
  PutSa put = fitting(any, around, aim);
  if (random_.chance(50)) disturb(put, aim);
  features_.insert("stray-sa");
  return put;
}

}  // namespace gssipsec::differential
