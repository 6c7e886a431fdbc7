// SPDX-License-Identifier: MIT
// The kernel's random numbers. Threads: any.
#pragma once

#include <cstddef>
#include <span>

namespace gssipsec::base {

// False when the kernel gives none; `out` is not to be used then. At most 256 octets.
[[nodiscard]] bool fill_random(std::span<std::byte> out) noexcept;

}  // namespace gssipsec::base
