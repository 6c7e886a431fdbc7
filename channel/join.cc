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

// xfrm_state_find() compares the family of an SA's selector, __xfrm_policy_check() does not: it reads whatever octets are there
// as addresses of the packet's family.
bool misread(const Sa& sa, const Packet& packet) {
  return packet.direction == Direction::in && sa.selector.family != Family::none && sa.selector.family != packet.source.family;
}

Match own_selector(const Sa& sa, const Packet& packet) {
  if (misread(sa, packet)) return Match::maybe;
  return sa.selector.family == Family::none ? Match::yes : match(sa.selector, packet);
}

bool is(const Address& have, const Address& wanted) { return have.is_any() || wanted.is_any() || have == wanted; }

// Transport mode ignores the template's addresses; the SA's must be the packet's. The reqid is compared even when it
// is 0, and SAs are looked up by the policy's mark.
bool fits_outbound(const Sa& sa, const Policy& policy, const Template& entry, const Outer& outer) {
  const Address& destination = entry.mode == Mode::transport ? outer.destination : entry.destination;
  const std::uint32_t mark = policy.mark.value & policy.mark.mask;
  return sa.reqid == entry.reqid && sa.if_id == policy.if_id && sa.mark.matches(mark) && sa.id.destination == destination;
}

// xfrm_state_addr_cmp() takes the addresses for some of the inner packet's family: of an IPv6 tunnel's source it sees only
// the first 32 bits when the packet is IPv4.
Address as_seen(const Address& outer, const Packet& packet) {
  return packet.source.family == Family::ipv4 && outer.family == Family::ipv6 ? masked(outer, 32) : outer;
}

// The receiver finds the SA by SPI and destination. In transport mode nobody compares its source, in tunnel mode nobody
// its destination, so every SA that passes the template counts, whoever holds it. Its mark is the packet's business.
bool fits_inbound(const Sa& sa, const Policy& policy, const Template& entry, const Packet& packet, const Outer& outer) {
  if (entry.reqid != 0 && sa.reqid != entry.reqid) return false;
  if (policy.if_id != 0 && sa.if_id != policy.if_id) return false;
  if (entry.mode == Mode::transport) return sa.id.destination == outer.destination;
  const Address wanted = as_seen(entry.source, packet);
  if (!wanted.is_any()) return wanted == as_seen(sa.source, packet);
  // Of all SAs with the reqid, those that lead away from here.
  return sa.id.destination != packet.source && (entry.destination.is_any() || sa.source != entry.destination);
}

}  // namespace

bool joins(const Sa& sa, const Policy& policy, const Template& entry, const Packet& packet, const Outer& outer) {
  if (!same_kind(sa, entry)) return false;
  const bool inbound = packet.direction == Direction::in;
  if (!(inbound ? fits_inbound(sa, policy, entry, packet, outer) : fits_outbound(sa, policy, entry, outer))) return false;
  return own_selector(sa, packet) != Match::no;
}

namespace {

// How far xfrm_state_find() goes by an SA's source. It looks through the hash chain of the packet's (or the template's) source
// first; when nothing is there, through the chain of SAs for any source, and in that one it does not compare sources: an SA
// of another source is taken or not as its hash falls. A template without source takes that of the route to the tunnel's
// end, which is not known here.
enum class Source { its_own, any, another };
Source source_of(const Sa& sa, const Template& entry, const Packet& packet, const Outer& outer) {
  if (packet.direction == Direction::in) return Source::its_own;
  const Address& wanted = entry.mode == Mode::transport ? outer.source : entry.source;
  if (sa.source.is_any()) return Source::any;
  return sa.source == wanted ? Source::its_own : Source::another;
}

// An open source takes every SA of the reqid that ends at any address of this host, and those are not known here.
bool anybodys(const Sa& sa, const Template& entry, const Packet& packet) {
  return packet.direction == Direction::in && entry.mode != Mode::transport && as_seen(entry.source, packet).is_any() && !is(sa.id.destination, entry.destination);
}

const char* doubt_of(const Sa& sa, const Template& entry, const Packet& packet) {
  if (sa.incomplete) return "has attributes that are not understood";
  if (misread(sa, packet)) return "has a selector of the other family";
  if (own_selector(sa, packet) == Match::maybe) return "has a selector of a device";
  if (anybodys(sa, entry, packet)) return "may end here, and the policy takes it from anybody";
  // Masks of algorithms count inbound only, by numbers of PF_KEY that the mirror does not keep.
  if (packet.direction == Direction::in && !all_algorithms(entry)) return "may be of an algorithm that the policy does not take";
  return nullptr;
}

}  // namespace

Joined join(const Sad& sad, const Policy& policy, const Template& entry, const Packet& packet, const Outer& outer) {
  Joined out;
  std::vector<const Sa*> fitting;
  bool own = false, sure = false;
  for (const Sa& sa : sad.sas) {
    if (!joins(sa, policy, entry, packet, outer)) continue;
    fitting.push_back(&sa);
    const Source source = source_of(sa, entry, packet, outer);
    own = own || source == Source::its_own;
    sure = sure || source != Source::another;
  }
  for (const Sa* sa : fitting) {
    if (own && source_of(*sa, entry, packet, outer) == Source::another) continue;
    if (!out.doubt) out.doubt = doubt_of(*sa, entry, packet);
    out.sas.push_back(*sa);
  }
  if (!out.doubt && !fitting.empty() && !sure) out.doubt = "is from another address, and is found only as its hash falls";
  return out;
}

}  // namespace gssipsec::channel
