// SPDX-License-Identifier: MIT
// Exported identities and templates: what is imported is wanted, never proven, and exports as the same octets.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "ipsecapi/tokens.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gssipsec::api;
  const gssipsec::base::View octets(reinterpret_cast<const std::byte*>(data), size);
  const auto wanted = import_template(octets);
  if (wanted.ok() && !std::ranges::equal(export_template(*wanted), octets)) std::abort();
  const auto identity = import_identity(octets);
  if (!identity) return 0;
  const auto again = export_identity(*identity);
  if (identity->proven || !again || !std::ranges::equal(*again, octets)) std::abort();
  return 0;
}
