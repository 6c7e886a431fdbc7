// SPDX-License-Identifier: MIT
// One segment of the IKE daemon's stream: what is read can be written and read again as the same.
#include <cstdint>
#include <cstdlib>

#include "ike/vici_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gssipsec;
  const auto packet = ike::decode_vici(std::as_bytes(std::span(data, size)));
  if (!packet) return 0;
  const base::Bytes written = ike::encode_vici(*packet);
  const auto again = ike::decode_vici(base::View(written).subspan(4));
  if (!again || !(*again == *packet)) std::abort();
  return 0;
}
