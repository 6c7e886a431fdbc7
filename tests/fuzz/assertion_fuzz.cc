// SPDX-License-Identifier: MIT
// Assertions and their sealed form: what is read is written as the same octets; what nobody sealed is not opened.
#include <algorithm>
#include <cstdlib>

#include "channel/assertion.h"

namespace {

gssipsec::channel::SaKeys keys() {
  gssipsec::channel::SaKeys out;
  out.aead = {"rfc4106(gcm(aes))", 160, 128};
  out.encryption_key = gssipsec::base::Secret(20);
  std::ranges::fill(out.encryption_key.bytes(), std::byte{7});
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gssipsec::channel;
  static const Exporter exporter = *Exporter::make(keys(), keys());
  const gssipsec::base::View view = std::as_bytes(std::span(data, size));
  const auto assertion = decode_assertion(view);
  if (assertion && !std::ranges::equal(encode(*assertion), view)) std::abort();
  if (open(view, exporter) && !peek(view)) std::abort();
  if (!assertion) return 0;
  const auto sealed = seal(*assertion, exporter);
  if (!sealed || !(*open(*sealed, exporter) == *assertion)) std::abort();
  return 0;
}
