// SPDX-License-Identifier: MIT
// Exported contexts: a token that nobody made opens under no key, and a state that is read is written as it was.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "mech_ipsec/exported.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gssipsec;
  const base::View octets(reinterpret_cast<const std::byte*>(data), size);
  const auto exported = mech::decode_exported(octets);
  if (exported.ok() && mech::open_exported(*exported, base::Bytes(32, std::byte{1})).ok()) std::abort();
  const auto state = protocol::decode_context_state(octets);
  if (state.ok() && !std::ranges::equal(protocol::encode(*state), octets)) std::abort();
  return 0;
}
