// SPDX-License-Identifier: MIT
// Whose a socket's own policy is, written into two of its limits. The kernel counts no octets and no packets of a policy; it keeps
// the numbers and shows them in its dumps, where it names no socket. So a broker that begins finds what a former one set, and one
// that missed a socket's closing sees that the policy went with it. Pure.
#pragma once

#include <cstdint>
#include <optional>

namespace gssipsec::kernel {

struct PolicyOwner {
  std::uint64_t cookie = 0;
  std::uint32_t uid = ~0U;     // who asked for it
  std::uint8_t protocol = 0;
  bool required = false;       // before the socket was connected: it stays until that closes
  friend bool operator==(const PolicyOwner&, const PolicyOwner&) = default;
};

struct PolicyLimits {
  std::uint64_t octets = 0, packets = 0;
};
[[nodiscard]] PolicyLimits limits_of(const PolicyOwner& owner) noexcept;
// Nothing for limits that somebody else wrote.
[[nodiscard]] std::optional<PolicyOwner> owner_of(const PolicyLimits& limits) noexcept;

}  // namespace gssipsec::kernel
