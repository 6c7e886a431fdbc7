// SPDX-License-Identifier: MIT
// What a client says its latch was (protocol::LatchStatement), and whether it still is: the question after a restart, when
// nobody else remembers. A client can only make CHECK stricter with it (docs/decisions/0004-latch-statement.md). Pure.
#pragma once

#include "broker/latch_rules.h"

namespace gssipsec::broker {

// `life`: Core::started of the broker that saw these keys come.
[[nodiscard]] protocol::LatchStatement statement_of(const LatchParameters& latched, const channel::Flow& flow, std::uint64_t life);

// The same connection, and congruent. Where nobody is authenticated only the life that made it knows the lineage. LATCH_BROKEN.
[[nodiscard]] base::Status agrees(base::View statement, const channel::Flow& flow, const LatchParameters& now, std::uint64_t life);

}  // namespace gssipsec::broker
