// SPDX-License-Identifier: MIT
#include "base/random.h"

#include <sys/random.h>

namespace gssipsec::base {

// Up to 256 octets come whole or not at all, once the kernel's pool is ready; until then the call waits.
bool fill_random(std::span<std::byte> out) noexcept {
  return out.size() <= 256 && getrandom(out.data(), out.size(), 0) == static_cast<ssize_t>(out.size());
}

}  // namespace gssipsec::base
