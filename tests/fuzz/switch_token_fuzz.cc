// SPDX-License-Identifier: MIT
// SWITCH: what is read encodes to the same octets, and no key proves it.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "mech_ipsec/switch_token.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gssipsec;
  const base::View octets(reinterpret_cast<const std::byte*>(data), size);
  const auto token = mech::decode_switch(octets);
  if (token.ok() != (size >= mech::kSwitchHeader && mech::kind_of(octets) == mech::Kind::offer && data[1] == 1 && data[2] < 0x40)) std::abort();
  if (!token.ok()) return 0;
  base::Bytes again(mech::kSwitchHeader);
  mech::encode_switch(*token, std::span(again).first<mech::kSwitchHeader>());
  if (!std::ranges::equal(again, octets.first(mech::kSwitchHeader))) std::abort();
  const auto proof = mech::switch_proof(base::Bytes(32), {}, token->sequence);
  if (!proof.ok() || base::equal_secret(*proof, token->proof)) std::abort();
  return 0;
}
