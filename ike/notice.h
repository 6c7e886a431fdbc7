// SPDX-License-Identifier: MIT
// What an IKE daemon says unasked and a snapshot of its SAs does not show. Pure values.
#pragma once

#include <cstdint>
#include <string>

#include "channel/identity.h"

namespace gssipsec::ike {

struct Notice {
  enum class Kind : std::uint8_t { child_rekeyed, addresses_changed, peer_dead };
  Kind kind;
  std::uint64_t ike_sa = 0;   // as channel::PeerInfo::ike_sa
  channel::Identity remote;   // none: not told
  std::string connection;
  bool operator==(const Notice&) const = default;
};

}  // namespace gssipsec::ike
