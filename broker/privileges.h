// SPDX-License-Identifier: MIT
// What the process gives up before it serves anybody: core dumps and ptrace, swapping, every capability but
// CAP_NET_ADMIN, and gaining any back. Threads: before the first one is started (capabilities are a thread's).
#pragma once

#include <cstdint>

#include "base/result.h"

namespace gssipsec::broker {

// First of all: nothing loaded into this process may find the mechanism and so call the broker from within.
void forget_mechanism() noexcept;
// Not dumpable, no core, memory locked where allowed, descriptors for `clients`.
void harden(std::uint32_t clients) noexcept;
// Keeps CAP_NET_ADMIN only, for ever. An error when something could not be given up.
[[nodiscard]] base::Status keep_net_admin_only() noexcept;
[[nodiscard]] bool has_net_admin() noexcept;

}  // namespace gssipsec::broker
