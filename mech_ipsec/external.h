// SPDX-License-Identifier: MIT
// What a protected connection says without any exchange of tokens: how strong it is, and which host is at the other end. For
// SASL EXTERNAL. Nobody there is told from another: who speaks may be any user of that host. The identity is therefore IKE's own
// ("fqdn:client.example.org"), which is no name of the mechanism. Threads: any.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "protocol/messages.h"

namespace gssipsec::mech {

struct External {
  std::uint32_t strength = 0;  // bits, as SASL counts: 1 is integrity alone
  std::string identity;
};

// Pure. The broker's first word says what no report denies, or why: NOT_LATCHABLE, LATCH_BROKEN, PEER_UNAUTHENTICATED, STARTED_IN_CLEAR, WEAK.
[[nodiscard]] base::Result<External> judge_external(const protocol::LatchReply& latch, const protocol::Report& report);
// Latches the socket, so that it stays what it is, and asks who is there. Also the broker's errors, and named_socket()'s.
[[nodiscard]] base::Result<External> external_of(int fd);

}  // namespace gssipsec::mech
