// SPDX-License-Identifier: MIT
// Both ends of an established context in this process, for what messages cost. Failures: std::runtime_error.
#pragma once

#include <memory>

#include "tests/bench/gss.h"
#include "tests/bench/hosts.h"
#include "tests/support/krb5_ticket.h"

namespace gssipsec::bench {

struct Pair {
  Hosts::Ends ends;  // outlive the contexts on them; none under krb5
  std::unique_ptr<Context> initiator, acceptor;
};

// Each end on its own host's broker, so that the latch is a real one and the heartbeat goes on.
[[nodiscard]] Pair ipsec_pair(const Hosts& hosts);
[[nodiscard]] Pair krb5_pair(const support::Krb5Ticket& ticket);
// Bound to the channel, and both ends have switched to it.
[[nodiscard]] Pair interposed_pair(const Hosts& hosts, const support::Krb5Ticket& ticket);

}  // namespace gssipsec::bench
