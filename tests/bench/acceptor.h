// SPDX-License-Identifier: MIT
// The acceptor of the context benchmarks: one connection after the other, one context on each.
#pragma once

#include "tests/support/krb5_ticket.h"

namespace gssipsec::bench {

// In a process of its own, in the second host's namespace, which asks that host's broker. Writes one octet to `ready` once
// it listens. Ends only with the process; exits when something fails, after saying what.
[[noreturn]] void run_acceptor(const support::Krb5Ticket& ticket, int ready);

}  // namespace gssipsec::bench
