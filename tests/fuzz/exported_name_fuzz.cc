// SPDX-License-Identifier: MIT
// Names from outside, exported or as text: an exported name has one form, and what is displayed is read as the same.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "mech_ipsec/name.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gssipsec;
  using mech::NameType;
  const base::View octets(reinterpret_cast<const std::byte*>(data), size);
  const auto exported = mech::import_exported(octets);
  if (exported.ok() && !std::ranges::equal(*mech::export_name(*exported), octets)) std::abort();
  const auto composite = mech::import_composite(octets);
  if (composite.ok() && !std::ranges::equal(*mech::export_composite(*composite), octets)) std::abort();
  for (const NameType type : {NameType::ipsec_id, NameType::hostbased, NameType::user}) {
    const auto name = mech::import_name(type, base::text_of(octets));
    if (!name.ok() || name->is_anonymous()) continue;
    if (!(*mech::import_name(type, mech::display(*name)) == *name) || !(*mech::import_exported(*mech::export_name(*name)) == *name)) std::abort();
  }
  return 0;
}
