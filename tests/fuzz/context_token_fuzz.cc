// SPDX-License-Identifier: MIT
// Context tokens, framed and bare: what is read is written again as the same octets.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "mech_ipsec/oids.h"
#include "mech_ipsec/token.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gssipsec;
  const base::View octets(reinterpret_cast<const std::byte*>(data), size);
  const auto token = mech::decode_token(octets);
  if (token.ok() && !std::ranges::equal(mech::encode(*token), octets)) std::abort();
  const auto inner = mech::unframe(octets);
  const bool ours = mech::is_framed_for(std::as_bytes(std::span(mech::kMechanism)), octets);
  if (inner.ok() && !ours) std::abort();
  if (inner.ok() && !std::ranges::equal(mech::frame(*inner), octets)) std::abort();
  if (inner.ok()) (void)mech::decode_token(*inner).ok();
  return 0;
}
