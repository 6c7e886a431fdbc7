// SPDX-License-Identifier: MIT
// The acceptor of the context benchmarks: one connection after the other, one context on each. An octet after that, and it answers with
// a message.
#pragma once

#include <cstdint>
#include <string>

namespace gssipsec::bench {

// The listeners; what comes on a port chooses the mechanism.
inline constexpr std::uint16_t kKrb5Port = 4567, kIpsecPort = 4568, kInterposedPort = 4569;

// In a process of its own, in the second host's namespace, which asks that host's broker. Writes one octet to `ready` once
// it listens. Ends only with the process; exits when something fails, after saying what.
[[noreturn]] void run_acceptor(const std::string& keytab, int ready);

}  // namespace gssipsec::bench
