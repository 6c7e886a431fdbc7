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

bool own_selector_fits(const Sa& sa, const Packet& packet) {
  if (sa.selector.family == Family::none) return true;
  return matches(sa.selector, packet.source, packet.destination, packet.source_port, packet.destination_port, packet.protocol, packet.ifindex);
}

bool is(const Address& have, const Address& wanted) { return have.is_any() || wanted.is_any() || have == wanted; }

// Transport mode ignores the template's addresses; the SA's must be the packet's.
bool fits_outbound(const Sa& sa, const Policy& policy, const Template& entry, const Packet& packet) {
  const bool transport = entry.mode == Mode::transport;
  const Address& destination = transport ? packet.destination : entry.destination;
  const Address& source = transport ? packet.source : entry.source;
  const std::uint32_t mark = policy.mark.value & policy.mark.mask;  // the kernel looks SAs up by the policy's mark
  return sa.reqid == entry.reqid && sa.if_id == policy.if_id && sa.mark.matches(mark) && sa.id.destination == destination && is(sa.source, source) &&
         own_selector_fits(sa, packet);
}

// The receiver finds the SA by SPI and destination; in transport mode nobody compares its source, so every SA that
// passes the template counts, whoever holds it.
bool fits_inbound(const Sa& sa, const Policy& policy, const Template& entry, const Packet& packet) {
  const bool transport = entry.mode == Mode::transport;
  const Address& destination = transport ? packet.destination : entry.destination;
  const bool ends = transport || is(sa.source, entry.source);
  return (entry.reqid == 0 || sa.reqid == entry.reqid) && (policy.if_id == 0 || sa.if_id == policy.if_id) && is(destination, sa.id.destination) && ends &&
         own_selector_fits(sa, packet);
}

}  // namespace

Joined join(const Sad& sad, const Policy& policy, const Template& entry, const Packet& packet) {
  Joined out;
  const bool inbound = packet.direction == Direction::in;
  for (const Sa& sa : sad.sas) {
    if (!same_kind(sa, entry)) continue;
    if (!(inbound ? fits_inbound(sa, policy, entry, packet) : fits_outbound(sa, policy, entry, packet))) continue;
    out.uncertain = out.uncertain || sa.incomplete;
    out.sas.push_back(sa);
  }
  // Masks of algorithms count inbound only, by numbers of PF_KEY that the mirror does not keep.
  if (inbound && !all_algorithms(entry) && !out.sas.empty()) out.uncertain = true;
  return out;
}

}  // namespace gssipsec::channel
