// SPDX-License-Identifier: MIT
// The kernel's own answer to "what protects this flow?", computed from the mirrored SPD and SAD: walks policies as
// xfrm_policy_lookup does (sub-policies first, priority, insertion order; selectors, mark, if_id, direction), joins
// templates to every SA that can carry the flow, for the outbound and the reversed inbound flow. Pure: no I/O, no
// clock. What it cannot know makes the verdict UNKNOWN, never protected. Socket policies are not its business: a
// socket counts as protected only after our latch replaced whatever was there.
#pragma once

#include <optional>
#include <vector>

#include "base/result.h"
#include "channel/flow.h"
#include "channel/policy.h"
#include "channel/quality.h"
#include "channel/sa.h"

namespace gssipsec::channel {

struct Spd {
  std::vector<Policy> policies;  // any order
  Action default_in = Action::allow, default_out = Action::allow;  // XFRM_MSG_GETDEFAULT
  bool operator==(const Spd&) const = default;
};

struct Sad {
  std::vector<Sa> sas;
};

// What else the kernel looks at, read by the broker for the flow.
struct Surroundings {
  bool same_host = false;        // loopback address or device, or both addresses local
  bool exempt_out = false;       // disable_xfrm of the route's device, or of all: the SPD is not asked about what leaves
  bool exempt_in = false;        // disable_policy: nor about what comes in
  bool vrf = false;
  bool mirror_fresh = true;      // false: mirror is stale, answer UNKNOWN
  bool too_many = false;         // more policies or SAs may matter than were looked at
};

struct OneWay {
  bool is_protected = false;
  base::Error why_not;                // when not protected
  std::optional<Policy> policy;       // that the kernel would use
  std::vector<Sa> carriers;           // every mature SA of the first ESP or AH template able to carry this flow
  Quality quality;                    // weakest over carriers and bundle
};

struct Verdict {
  bool is_protected = false;          // both directions, now
  base::Error why_not;                // the most telling reason when not
  OneWay out, in;
  Mode mode = Mode::transport;
  bool end_to_end = false;            // ends at the peer itself: transport/BEET, or tunnel with inner = outer (verdict.h knows one more)
  bool latchable = false;             // a per-socket policy can copy this exactly (threats M3)
  base::Error why_not_latchable;
  Quality quality;                    // weakest of both directions
};

[[nodiscard]] Verdict resolve(const Flow& flow, const Spd& spd, const Sad& sad, const Surroundings& around);

// The reversed flow, as the inbound policy check sees it (source is the peer).
[[nodiscard]] bool matches(const Selector& selector, const Address& source, const Address& destination,
                           std::uint16_t source_port, std::uint16_t destination_port, std::uint8_t protocol,
                           std::uint32_t ifindex) noexcept;

// The templates of the per-socket policy that latches `way`: never reqid 0, never optional, addresses filled in;
// pinned to the SPI of the newest of `way.carriers` when `pin` (key lineage).
[[nodiscard]] base::Result<std::vector<Template>> latch_templates(const OneWay& way, const Flow& flow, Direction direction, bool pin);
// The same for a socket that takes packets from many: transport mode only, where the kernel goes by the reqid and not by the
// addresses; with or without an SA now. NOT_LATCHABLE, or why `way` is not protected.
[[nodiscard]] base::Result<std::vector<Template>> listener_templates(const OneWay& way, const Flow& flow, Direction direction);
// The same for a socket that is to speak with one peer: tunnels, too, whose ends the policy names.
[[nodiscard]] base::Result<std::vector<Template>> required_templates(const OneWay& way, const Flow& flow, Direction direction);

}  // namespace gssipsec::channel
