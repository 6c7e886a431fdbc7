// SPDX-License-Identifier: MIT
#include "channel/join.h"

namespace gssipsec::channel {
namespace {

bool all_algorithms(const Template& entry) {
  return (entry.auth_algorithms & entry.encryption_algorithms & entry.compression_algorithms) == 0xffffffff;
}

bool same_kind(const Sa& sa, const Template& entry) {
  return sa.id.protocol == entry.protocol && sa.mode == entry.mode && (entry.spi == 0 || entry.spi == sa.id.spi) && sa.state == SaState::valid;
}

Match own_selector(const Sa& sa, const Packet& packet) { return sa.selector.family == Family::none ? Match::yes : match(sa.selector, packet); }

bool is(const Address& have, const Address& wanted) { return have.is_any() || wanted.is_any() || have == wanted; }

// Transport mode ignores the template's addresses; the SA's must be the packet's. The reqid is compared even when it
// is 0, and SAs are looked up by the policy's mark.
bool fits_outbound(const Sa& sa, const Policy& policy, const Template& entry, const Outer& outer) {
  const bool transport = entry.mode == Mode::transport;
  const Address& destination = transport ? outer.destination : entry.destination;
  const Address& source = transport ? outer.source : entry.source;
  const std::uint32_t mark = policy.mark.value & policy.mark.mask;
  return sa.reqid == entry.reqid && sa.if_id == policy.if_id && sa.mark.matches(mark) && sa.id.destination == destination && is(sa.source, source);
}

// The receiver finds the SA by SPI and destination. In transport mode nobody compares its source, in tunnel mode nobody
// its destination, so every SA that passes the template counts, whoever holds it. Its mark is the packet's business.
bool fits_inbound(const Sa& sa, const Policy& policy, const Template& entry, const Outer& outer) {
  if (entry.reqid != 0 && sa.reqid != entry.reqid) return false;
  if (policy.if_id != 0 && sa.if_id != policy.if_id) return false;
  if (entry.mode == Mode::transport) return sa.id.destination == outer.destination;
  return entry.source.is_any() ? is(sa.id.destination, entry.destination) : is(sa.source, entry.source);
}

}  // namespace

bool joins(const Sa& sa, const Policy& policy, const Template& entry, const Packet& packet, const Outer& outer) {
  if (!same_kind(sa, entry)) return false;
  const bool inbound = packet.direction == Direction::in;
  if (!(inbound ? fits_inbound(sa, policy, entry, outer) : fits_outbound(sa, policy, entry, outer))) return false;
  return own_selector(sa, packet) != Match::no;
}

Joined join(const Sad& sad, const Policy& policy, const Template& entry, const Packet& packet, const Outer& outer) {
  Joined out;
  const bool inbound = packet.direction == Direction::in;
  for (const Sa& sa : sad.sas) {
    if (!joins(sa, policy, entry, packet, outer)) continue;
    out.uncertain = out.uncertain || sa.incomplete || own_selector(sa, packet) == Match::maybe;
    out.sas.push_back(sa);
  }
  // Masks of algorithms count inbound only, by numbers of PF_KEY that the mirror does not keep.
  if (inbound && !all_algorithms(entry) && !out.sas.empty()) out.uncertain = true;
  return out;
}

}  // namespace gssipsec::channel
