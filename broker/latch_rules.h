// SPDX-License-Identifier: MIT
// When a latch holds (RFC 5660; design: Latches): congruence of what protects the socket now with what protected it when
// it was latched. By the peer's identity where IKE authenticated one single peer, else by the lineage of keys. Pure.
#pragma once

#include <vector>

#include "broker/verdict.h"
#include "protocol/messages.h"

namespace gssipsec::broker {

struct LatchParameters {
  channel::PeerInfo peer;
  channel::Mode mode = channel::Mode::transport;
  channel::Quality quality;
  std::vector<channel::Template> out, in;  // that the kernel enforces on the socket
  std::vector<std::uint64_t> arrivals;     // of the SAs that carried it
};

struct LatchStatus {
  protocol::LatchState state = protocol::LatchState::none;
  base::Error why;  // for broken and stale
};

// SAs of a peer that nobody names, or a block, for longer than this: broken.
inline constexpr auto kStaleLimit = std::chrono::seconds(2);

[[nodiscard]] bool pinned(const channel::PeerInfo& peer);
// What the kernel should enforce now. NOT_LATCHABLE.
[[nodiscard]] base::Result<LatchParameters> parameters_of(const Assessment& assessment, const channel::Flow& flow);
// What holds where the kernel can enforce nothing: to be watched only.
[[nodiscard]] base::Result<LatchParameters> watched_parameters(const Assessment& assessment);
[[nodiscard]] inline bool enforced(const LatchParameters& parameters) noexcept { return !parameters.out.empty(); }
// Of a socket that takes packets from many: what the policies between it and one peer ask for.
[[nodiscard]] base::Result<LatchParameters> listener_parameters(const Assessment& assessment, const channel::Surroundings& around,
                                                                const channel::Flow& flow);
// The same latch: same peer by the rule above, same mode, nothing weaker.
[[nodiscard]] base::Status congruent(const LatchParameters& latched, const LatchParameters& now);

// The next state. `stale_since`: since when something waits for so long at most (Time(): nothing does); updated.
[[nodiscard]] LatchStatus next_status(const LatchStatus& current, const LatchParameters& latched, const Assessment& now,
                                      const channel::Flow& flow, bool fresh, Time when, Time& stale_since);

// A listener's latch never breaks: nothing was vouched for. STALE when the policies ask for something else by now.
[[nodiscard]] LatchStatus next_listener_status(const LatchStatus& current, const LatchParameters& latched, const Assessment& now,
                                               const channel::Surroundings& around, const channel::Flow& flow, bool fresh);

}  // namespace gssipsec::broker
