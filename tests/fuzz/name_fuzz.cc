// SPDX-License-Identifier: MIT
// Names as people, programs and peers write them: what is read has one text without '@', which reads as the same.
#include <cstdint>
#include <cstdlib>

#include "channel/name.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gssipsec::channel;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto name = parse_name(text);
  const auto service = parse_service(text);
  if (name && service) std::abort();
  if (name && (format(*name).find('@') != std::string::npos || !(*parse_name(format(*name)) == *name))) std::abort();
  if (service && !(*parse_service(format(*service)) == *service)) std::abort();
  if (name && name->kind != Name::Kind::anonymous && !satisfies(*name, *name, {}).ok()) std::abort();
  return 0;
}
