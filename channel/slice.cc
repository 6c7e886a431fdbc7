// SPDX-License-Identifier: MIT
#include "channel/slice.h"

#include <algorithm>
#include <tuple>

#include "channel/join.h"

namespace gssipsec::channel {
namespace {

// One policy's SAs. Outer addresses are the packet's, or those that some other template gives it.
class Gatherer {
 public:
  Gatherer(const SadIndex& sad, const Policy& policy, const Packet& packet, Slice& slice)
      : sad_(sad), policy_(policy), packet_(packet), slice_(slice), outers_{{packet.source, packet.destination}} {
    for (const Template& entry : policy.templates)
      if (entry.mode != Mode::transport) outers_.push_back({entry.source, entry.destination});
  }

  void gather() {
    for (const Template& entry : policy_.templates) packet_.direction == Direction::in ? inbound(entry) : outbound(entry);
  }

 private:
  // The receiver compares reqids only where the template has one, and not both ends.
  void inbound(const Template& entry) {
    if (entry.reqid != 0) return take(sad_.of_reqid(entry.reqid), entry);
    sad_.each([&](const SadIndex::Held& held) { take(held, entry); });
  }

  void outbound(const Template& entry) {
    const auto sharing = sad_.of_reqid(entry.reqid);
    if (!sharing.is_long()) return take(sharing, entry);
    // Where one is from the right address, those from others mean nothing.
    for (const Outer& outer : outers_) {
      const std::size_t before = slice_.sas.size();
      take(sad_.between(outer.source, outer.destination), entry);
      if (outer.source.is_any() || slice_.sas.size() == before) return take(sharing, entry);
      for (const Family family : {Family::none, Family::ipv4, Family::ipv6}) take(sad_.between({family, {}}, outer.destination), entry);
    }
  }

  void take(const SadIndex::Chain& chain, const Template& entry) {
    for (const SadIndex::Held& held : chain) take(held, entry);
  }

  void take(const SadIndex::Held& held, const Template& entry) {
    if (slice_.sas.size() > kMostSas) return;
    if (std::ranges::any_of(outers_, [&](const Outer& outer) { return joins(held.sa, policy_, entry, packet_, outer); })) slice_.sas.push_back(&held);
  }

  const SadIndex& sad_;
  const Policy& policy_;
  const Packet& packet_;
  Slice& slice_;
  std::vector<Outer> outers_;
};

// Two templates may have found the same SA; the places tell it from another of its name, which a broken database may hold.
void sort(std::vector<const SadIndex::Held*>& sas) {
  std::ranges::sort(sas, [](const auto* a, const auto* b) { return std::tie(a->sa.id, a->sa.mark, a) < std::tie(b->sa.id, b->sa.mark, b); });
  sas.erase(std::unique(sas.begin(), sas.end()), sas.end());
}

void gather(const SadIndex& sad, const Policy& policy, const Packet& packet, Slice& slice) {
  if (slice.cut) return;
  slice.spd.policies.push_back(policy);
  Gatherer(sad, policy, packet, slice).gather();
  slice.cut = slice.sas.size() > kMostSas;
  sort(slice.sas);
}

}  // namespace

Slice slice_of(const Flow& flow, const SpdIndex& spd, const SadIndex& sad) {
  Slice slice;
  slice.spd.default_in = spd.default_in;
  slice.spd.default_out = spd.default_out;
  for (const Direction direction : {Direction::out, Direction::in}) {
    const Packet packet = packet_of(flow, direction);
    const auto policies = spd.matching(packet, kMostPolicies);
    slice.cut = slice.cut || !policies;
    if (policies)
      for (const Policy* policy : *policies) gather(sad, *policy, packet, slice);
  }
  if (slice.cut) slice.sas.clear(), slice.spd.policies.clear();
  return slice;
}

}  // namespace gssipsec::channel
