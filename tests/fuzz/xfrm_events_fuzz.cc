// SPDX-License-Identifier: MIT
// A datagram of the monitor, applied twice to a mirror; and the kernel's counts.
#include "kernel/xfrm_mirror.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)gssipsec::kernel::decode_sa_count(std::as_bytes(std::span(data, size))).ok();
  (void)gssipsec::kernel::decode_policy_count(std::as_bytes(std::span(data, size))).ok();
  const auto events = gssipsec::kernel::decode_events(std::as_bytes(std::span(data, size)));
  if (!events) return 0;
  gssipsec::kernel::Tables mirror;
  for (int round = 0; round < 2; ++round)
    for (const auto& event : *events) (void)gssipsec::kernel::apply(event, mirror, {});
  return 0;
}
