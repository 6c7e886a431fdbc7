// SPDX-License-Identifier: MIT
// The administrator's file: whatever is accepted keeps the limits that the broker relies on.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "broker/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto config = gssipsec::broker::parse_config({reinterpret_cast<const char*>(data), size}, "f");
  if (!config) return 0;
  if (config->workers < 1 || config->workers > 64 || config->workers_per_user > config->workers || config->min_key_bits < 128) std::abort();
  for (const auto& rule : config->psks)
    if (rule.holder.type == gssipsec::channel::IdType::none) std::abort();
  return 0;
}
