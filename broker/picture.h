// SPDX-License-Identifier: MIT
// What a subscriber last heard of a socket, and what became different since. Pure.
#pragma once

#include <optional>
#include <vector>

#include "broker/verdict.h"
#include "protocol/events.h"

namespace gssipsec::broker {

struct Carrier {
  channel::SaId id;
  channel::Address source;
  auto operator<=>(const Carrier&) const = default;
};

struct Picture {
  bool is_protected = false;
  base::Error why{base::Code::ok, {}};    // when not protected
  std::vector<Carrier> out, in;           // sorted
  std::vector<Carrier> former;            // the last ones out, when not protected
  std::optional<channel::PeerInfo> peer;  // the last one known: an SA that is gone has none
  protocol::LatchState latch = protocol::LatchState::none;
};

[[nodiscard]] Picture picture_of(const Assessment& assessment, protocol::LatchState latch);
[[nodiscard]] bool carries(const Picture& picture, const channel::SaId& id) noexcept;

struct Change {
  protocol::EventType type;
  base::Error why{base::Code::ok, {}};
  std::vector<channel::SaId> sas{};  // that are new
};

// In the order in which a listener should learn them. A rekey shows in what is sent: its inbound SA comes a moment before, or
// after, and would tell the same thing twice.
[[nodiscard]] std::vector<Change> differences(const Picture& before, const Picture& after);
// Takes over what `after` knows; the former peer and SAs stay where `after` has none.
void advance(Picture& picture, Picture after);

}  // namespace gssipsec::broker
