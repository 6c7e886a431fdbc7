// SPDX-License-Identifier: MIT
// Which SAs can carry a packet under a policy's template: xfrm_state_find outbound, xfrm_state_ok and the SA's own
// selector inbound (Linux 6.1). Pure.
#pragma once

#include <vector>

#include "channel/lookup.h"

namespace gssipsec::channel {

// The outer addresses of a packet between two templates: its own, then those of the tunnel it was put into.
struct Outer {
  Address source, destination;
};

struct Joined {
  std::vector<Sa> sas;          // mature ones that fit
  const char* doubt = nullptr;  // why one that may fit is not understood
};
[[nodiscard]] bool joins(const Sa& sa, const Policy& policy, const Template& entry, const Packet& packet, const Outer& outer);
[[nodiscard]] Joined join(const Sad& sad, const Policy& policy, const Template& entry, const Packet& packet, const Outer& outer);

}  // namespace gssipsec::channel
