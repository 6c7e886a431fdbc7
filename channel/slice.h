// SPDX-License-Identifier: MIT
// What of the databases can matter to one flow: the resolver comes to the same verdict with it as with the whole of them.
// Pure.
#pragma once

#include "channel/sad_index.h"
#include "channel/spd_index.h"

namespace gssipsec::channel {

struct Slice {
  Spd spd;
  std::vector<const SadIndex::Held*> sas;  // by name
  bool cut = false;                        // more could matter than is looked at: nothing can be said
};

// What is beyond takes the resolver too long, and anybody may ask.
inline constexpr std::size_t kMostPolicies = 256, kMostSas = 1024;

[[nodiscard]] Slice slice_of(const Flow& flow, const SpdIndex& spd, const SadIndex& sad);

}  // namespace gssipsec::channel
