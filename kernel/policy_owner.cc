// SPDX-License-Identifier: MIT
#include "kernel/policy_owner.h"

namespace gssipsec::kernel {
namespace {

// In the upper three octets, which are all ones where there is no limit.
constexpr std::uint64_t kLatched = 0x67736c, kRequired = 0x677372;
constexpr int kMarkAt = 40, kProtocolAt = 32;

}  // namespace

PolicyLimits limits_of(const PolicyOwner& owner) noexcept {
  const std::uint64_t mark = owner.required ? kRequired : kLatched;
  return {mark << kMarkAt | std::uint64_t{owner.protocol} << kProtocolAt | owner.uid, owner.cookie};
}

std::optional<PolicyOwner> owner_of(const PolicyLimits& limits) noexcept {
  const std::uint64_t mark = limits.octets >> kMarkAt;
  if (mark != kLatched && mark != kRequired) return std::nullopt;
  return PolicyOwner{limits.packets, static_cast<std::uint32_t>(limits.octets), static_cast<std::uint8_t>(limits.octets >> kProtocolAt),
                     mark == kRequired};
}

}  // namespace gssipsec::kernel
