// SPDX-License-Identifier: MIT
// What the broker thinks of a flow in one View: the resolver's verdict joined with the peers of every SA that can carry
// it. Pure.
#pragma once

#include <optional>

#include "broker/board.h"
#include "broker/config.h"
#include "channel/resolver.h"

namespace gssipsec::broker {

struct Assessment {
  channel::Verdict verdict;
  std::optional<channel::PeerInfo> peer;  // one and the same for all carriers of both directions
  base::Error peer_error;                 // when there is none
  std::vector<std::uint64_t> arrivals;    // of all carriers, by which an SA is told from a later one of the same name
  bool may_improve = false;               // the mirror is stale, or a source may name the peer soon: ask again
};

[[nodiscard]] Assessment assess(const channel::Flow& flow, const channel::Surroundings& around, const View& view, Time now);

// The same end, proven in the same way; which IKE SA counts only where nobody is authenticated.
[[nodiscard]] bool same_end(const channel::PeerInfo& a, const channel::PeerInfo& b);

// Good enough to rest a context on: protected both ways, end to end, a known peer, strong keys. The error says why not.
[[nodiscard]] base::Status sufficient(const Assessment& assessment, const Config& config);

}  // namespace gssipsec::broker
