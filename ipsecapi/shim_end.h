// SPDX-License-Identifier: MIT
// Endpoint descriptors as they lie in a sockaddr_ed, and what they stand for. Failures as at the C border: -1, errno, and a reason.
#pragma once

#include <ipsec/shim.h>

#include "protocol/messages.h"

namespace gssipsec::api {

// In host byte order.
struct EndName {
  std::uint32_t value = 0;
  std::uint16_t port = 0;
  bool operator==(const EndName&) const = default;
};
// EINVAL: null or too short; EAFNOSUPPORT: an address of another family.
[[nodiscard]] int read_end(const sockaddr* address, socklen_t length, EndName& out) noexcept;
// Cut to what there is room for, as getsockname(2) does. EINVAL: null.
[[nodiscard]] int write_end(const EndName& end, sockaddr* address, socklen_t* length) noexcept;
[[nodiscard]] sockaddr_ed address_of(const EndName& end) noexcept;

[[nodiscard]] constexpr bool is_wildcard(std::uint32_t value) noexcept { return value >= SHIM_ED_ANY && value <= SHIM_ED_ANY_ANON; }
// What the broker keeps under that value, and of that kind. EADDRNOTAVAIL, EINVAL.
[[nodiscard]] int resolve_end(std::uint32_t value, bool local, protocol::Endpoint& out);

}  // namespace gssipsec::api
