// SPDX-License-Identifier: MIT
// Credential stores ("key=value" for the fuzzer) and exported credentials.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "mech_ipsec/credential.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gssipsec;
  const base::View octets(reinterpret_cast<const std::byte*>(data), size);
  const std::string_view text = base::text_of(octets);
  const std::size_t equals = text.find('=');
  const mech::StoreEntry entry{text.substr(0, equals), equals == std::string_view::npos ? std::string_view() : text.substr(equals + 1)};
  const auto options = mech::parse_store(std::span(&entry, 1));
  if (options.ok() && options->socket && std::to_string(*options->socket) != entry.value) std::abort();
  const auto credential = mech::Credential::decode(octets);
  if (credential.ok() && !(mech::Credential::decode(credential->encode()))) std::abort();
  return 0;
}
