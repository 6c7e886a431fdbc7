// SPDX-License-Identifier: MIT
// A route and a device as rtnetlink describes them.
#include <cstdlib>
#include <span>

#include "kernel/link.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const gssipsec::base::View view = std::as_bytes(std::span(data, size));
  (void)gssipsec::kernel::decode_route(view);
  const auto link = gssipsec::kernel::decode_link(view);
  // The name becomes part of a path.
  if (link && (link->name.empty() || link->name.find('/') != std::string::npos)) std::abort();
  return 0;
}
