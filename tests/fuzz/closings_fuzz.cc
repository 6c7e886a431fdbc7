// SPDX-License-Identifier: MIT
// A datagram with news of closed sockets.
#include <span>

#include "kernel/socket.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)gssipsec::kernel::decode_closings(std::as_bytes(std::span(data, size)));
  return 0;
}
