// SPDX-License-Identifier: MIT
// A policy as the kernel sends it.
#include <cstdlib>

#include "kernel/xfrm.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto policy = gssipsec::kernel::decode_policy(std::as_bytes(std::span(data, size)));
  if (policy && policy->templates.size() > 6) std::abort();
  if (policy && (policy->index & 7) == 3 && policy->direction != gssipsec::channel::Direction::other) std::abort();
  const auto owner = gssipsec::kernel::decode_policy_owner(std::as_bytes(std::span(data, size)));
  if (policy && owner && *owner && policy->direction != gssipsec::channel::Direction::other) std::abort();
  return 0;
}
