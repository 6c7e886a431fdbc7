// SPDX-License-Identifier: MIT
// One question while the mirror is stale: the kernel itself is asked, where its databases are so small that reading them
// whole for one answer costs little. Where they are not, and where more than an answer is wanted, everybody waits for the
// mirror: docs/decisions/0008-stale-mirror.md. Threads: workers.
#pragma once

#include <optional>

#include "broker/board.h"
#include "broker/workers.h"

namespace gssipsec::broker {

inline constexpr std::uint64_t kMostAsked = 1000;  // SAs and policies together

// What matters to the flow as the kernel has it now: fresh and `asked`. Nothing when there is too much, or when it changed
// while it was read.
[[nodiscard]] std::optional<View> ask_kernel(const Board& board, Bench& bench, const channel::Flow& flow);

}  // namespace gssipsec::broker
