// SPDX-License-Identifier: MIT
#include "tests/differential/peer.h"

#include <algorithm>

namespace gssipsec::differential {
namespace {

using channel::Address;
using channel::Family;
using channel::Mode;
using channel::Sa;

bool belongs_to(const std::vector<Address>& addresses, const Address& address) { return std::ranges::find(addresses, address) != addresses.end(); }

// B's side of it: no selector, mark or limit keeps B from using it, whatever its packets are.
PutSa at_b(const PutSa& put) {
  PutSa out;
  out.sa = put.sa;
  Sa& sa = out.sa;
  const Family family = sa.id.destination.family;
  if (sa.mode == Mode::transport) sa.source = {family, {}};
  else if (!belongs_to(addresses_of_b(family), sa.source)) sa.source = addresses_of_b(family).front();
  if (sa.mode != Mode::beet) sa.selector = {};
  sa.mark = {};
  sa.if_id = 0;
  return out;
}

channel::Template entry_of(const Sa& sa) {
  const PutSa own = at_b({sa});
  channel::Template entry;
  entry.family = sa.id.destination.family;
  entry.protocol = sa.id.protocol;
  entry.mode = sa.mode;
  entry.source = own.sa.source;
  entry.destination = sa.id.destination;
  entry.spi = sa.id.spi;
  entry.reqid = sa.reqid;
  return entry;
}

// What Linux does with packets of a family that an SA is not for ends in a panic at times.
bool takes(const Sa& sa, Family family) {
  return sa.mode == Mode::tunnel || family == (sa.mode == Mode::beet ? sa.selector.family : sa.id.destination.family);
}

channel::Policy policy_for(const channel::Flow& flow) {
  channel::Policy policy;
  policy.direction = channel::Direction::out;
  policy.selector.family = flow.local.family;
  policy.selector.source.address.family = policy.selector.destination.address.family = flow.local.family;
  policy.priority = 1;
  return policy;
}

}  // namespace

void Peer::learn(const PutSa& put) {
  if (put.larval || !belongs_to(addresses_of_a(put.sa.id.destination.family), put.sa.id.destination)) return;
  known_.push_back(put.sa);
  host_.queue(sa_request(at_b(put)));
}

void Peer::install() { host_.flush(); }

// A packet on the cable has no mark, so an SA with one does not get it.
bool Peer::can_use(const Sa& sa) const {
  return sa.mark.matches(0) && !sa.encapsulated && std::ranges::any_of(known_, [&sa](const Sa& known) { return known.id == sa.id && known.mark == sa.mark; });
}

std::optional<std::vector<Sa>> Peer::as_wanted(Random& random, const channel::Sad& sad, const channel::Policy& policy, const channel::Packet& packet) const {
  std::vector<Sa> out;
  channel::Outer outer{packet.source, packet.destination}, made = outer;  // as the policy says, as the SAs make it
  for (const channel::Template& entry : policy.templates) {
    if (entry.optional && random.chance(50)) continue;
    // BEET carries what is between the flow's addresses; of what another tunnel made it makes a packet for nobody.
    if (entry.mode == Mode::beet && (made.source != packet.source || made.destination != packet.destination)) return std::nullopt;
    std::vector<Sa> fitting;
    std::ranges::copy_if(sad.sas, std::back_inserter(fitting), [&](const Sa& sa) { return can_use(sa) && channel::joins(sa, policy, entry, packet, outer); });
    if (fitting.empty()) return std::nullopt;
    out.push_back(random.of(fitting));
    if (entry.mode == Mode::transport) continue;
    outer = {entry.source, entry.destination};
    made = {at_b({out.back()}).sa.source, out.back().id.destination};
  }
  if (out.empty()) return std::nullopt;
  return out;
}

std::vector<Sa> Peer::otherwise(Random& random, Family family) const {
  std::vector<Sa> out;
  if (known_.empty()) return out;
  for (std::uint32_t i = 0, count = random.chance(75) ? 1 : 2; i < count; ++i) {
    const Sa& sa = random.of(known_);
    if (!takes(sa, family)) continue;
    out.push_back(sa);
    family = sa.id.destination.family;
  }
  return out;
}

bool Peer::use(const std::vector<Sa>& sas, const channel::Flow& flow) {
  channel::Policy policy = policy_for(flow);
  for (const Sa& sa : sas) policy.templates.push_back(entry_of(sa));
  host_.queue(sas.empty() ? drop_request(policy, host_.devices()) : policy_request({policy, true}, host_.devices()));
  return host_.flush().front() == 0 || sas.empty();
}

void Peer::forget() {
  known_.clear();
  host_.queue(flush_sas(0));
  host_.queue(flush_policies(false));
  host_.flush();
}

}  // namespace gssipsec::differential
