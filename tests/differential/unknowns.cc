// SPDX-License-Identifier: MIT
#include "tests/differential/unknowns.h"

#include <algorithm>
#include <array>

namespace gssipsec::differential {
namespace {

constexpr std::array<UnknownKind, 9> kKinds = {{
    {"device", "names a device", "what the look-up takes for the device of IPv6 packets and of incoming ones depends on kernel, netfilter and local routes", 0.04},
    {"order", "a dump does not tell", "a dump lists policies by their last change, the look-up goes by their first", 0.06},
    {"tables", "kernels differ in which comes first", "before Linux 6.12 a policy for two single addresses mostly comes before others of its priority, after that the older one", 0.06},
    {"masks", "algorithm that the policy does not take", "masks are by numbers of PF_KEY, which the kernel does not show with its SAs", 0.04},
    {"other family", "a selector of the other family", "of an SA's selector the receiver compares no family, and reads its addresses as the packet's", 0.02},
    {"other source", "only as its hash falls", "where no SA is from the packet's own address, xfrm_state_find() takes one of any other whose hash collides", 0.06},
    {"anybody", "takes it from anybody", "an open source takes SAs to any address of this host, and the resolver does not know those", 0.04},
    {"sctp", "SCTP", "it looks for policies from other addresses than it sends from, and without the mark; what is refused may leave in clear", 0.08},
    {"strangers", "packets with another mark", "netfilter gives inbound packets their marks", 0.06},
}};

}  // namespace

std::span<const UnknownKind> unknown_kinds() { return kKinds; }

const UnknownKind* kind_of(const base::Error& why) {
  const auto found = std::ranges::find_if(kKinds, [&why](const UnknownKind& kind) { return why.detail.find(kind.detail) != std::string::npos; });
  return found == kKinds.end() ? nullptr : &*found;
}

}  // namespace gssipsec::differential
