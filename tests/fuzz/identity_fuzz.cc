// SPDX-License-Identifier: MIT
// Identities as people and as IKE daemons write them: what is read has a canonical text, which reads as the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "ike/id_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gssipsec::channel;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Identity inferred = gssipsec::ike::infer_identity(text);
  if (inferred.type != IdType::none && !(gssipsec::ike::infer_identity(inferred.value) == inferred)) std::abort();
  const auto typed = parse_identity(text);
  if (typed && !(*parse_identity(format(*typed)) == *typed)) std::abort();
  return 0;
}
