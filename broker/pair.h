// SPDX-License-Identifier: MIT
// Which pair of SAs both hosts derive keys from, where no token names one. Workers only.
#pragma once

#include "broker/bind.h"
#include "broker/exporters.h"

namespace gssipsec::broker {

struct Pair {
  channel::Sa out, in;  // as this host sees them
  SharedExporter exporter;
};

// In each direction the one that the other host chooses as well. NO_KEYS, WEAK_KEYS, SA_GONE, NETLINK.
[[nodiscard]] base::Result<Pair> choose_pair(Core& core, Bench& bench, const Case& seen, channel::Role role);

// An SA that is not the first of its direction is so new that the other host may not have the same ones yet, or made a token by those that
// were. `realtime`: seconds since 1970, by which the kernel dates SAs.
[[nodiscard]] bool in_a_rekey(const channel::Verdict& verdict, const Arrivals& arrivals, std::uint64_t realtime);

}  // namespace gssipsec::broker
