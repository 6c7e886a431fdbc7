// SPDX-License-Identifier: MIT
// Messages of what changes while nobody asks: subscriptions and their events; and of looking into the broker: its figures,
// and its reasons step by step. Laid down in docs/protocol.md. Pure; the same rules as messages.h.
#pragma once

#include "protocol/messages.h"

namespace gssipsec::protocol {

enum class EventType : std::uint8_t {
  rekeyed = 1,           // other SAs carry the traffic, of the same peer
  migrated = 2,          // the SAs' outer addresses are others (MOBIKE, XFRM_MSG_MIGRATE)
  nat_mapping = 3,       // the peer's UDP-encapsulated packets come from another address or port
  expiring = 4,          // an SA's soft lifetime is over: a rekey should follow
  peer_dead = 5,         // the IKE daemon gave the peer up: it does not answer
  latch_broken = 6,      // the socket sends and receives nothing more
  latch_restored = 7,    // a latch that was broken is established again
  identity_changed = 8,  // another peer, or the same one proven otherwise
  lost = 9,              // events are missing here: ask anew what matters
  protection = 10,       // protected became not protected, or the other way: `code` is 0 for protected
};
inline constexpr EventType kFirstEvent = EventType::rekeyed, kLastEvent = EventType::protection;
[[nodiscard]] const char* event_type_name(EventType type) noexcept;

// Sets of types in a subscription.
[[nodiscard]] constexpr std::uint32_t event_bit(EventType type) noexcept { return 1U << static_cast<unsigned>(type); }
inline constexpr std::uint32_t kAllEvents = (event_bit(kLastEvent) << 1) - event_bit(kFirstEvent);

// A socket's events are for whoever holds it; the namespace's for whom the access policy names.
enum class Scope : std::uint8_t { socket = 1, all = 2 };

// LOST is always sent, whatever `types` says.
struct SubscribeRequest { std::uint32_t types = kAllEvents; Scope scope = Scope::socket; bool operator==(const SubscribeRequest&) const = default; };
struct SubscribeReply {
  std::uint32_t subscription = 0;  // of this connection, never 0
  std::uint64_t cookie = 0;        // of the socket; 0 for the namespace
  bool is_protected = false;       // the socket at this moment: what events change. False for the namespace
  bool operator==(const SubscribeReply&) const = default;
};
struct UnsubscribeRequest { std::uint32_t subscription = 0; bool operator==(const UnsubscribeRequest&) const = default; };

struct Event {
  EventType type = EventType::lost;
  std::uint32_t subscription = 0;  // 0 in LOST: all of this connection
  std::uint64_t when = 0;          // nanoseconds since 1970
  std::uint64_t cookie = 0;        // 0: of no one socket
  channel::Flow flow;              // all zero: of no one connection
  base::Code code = base::Code::ok;  // why, for latch_broken and protection
  std::string peer;                // channel::format(Identity); "" unknown
  std::string detail;
  std::uint32_t missing = 0;       // LOST: events that were dropped for this connection; 0: the broker cannot count them
  std::vector<std::string> sas;    // for root
  bool operator==(const Event&) const = default;
};

// Figures in Prometheus' text format.
inline constexpr std::size_t kMaxDocument = 65000;
struct MetricsReply { std::string text; bool operator==(const MetricsReply&) const = default; };

// With a flow no descriptor comes along (root only).
struct ExplainRequest { Found found = Found::named; std::optional<channel::Flow> flow; bool operator==(const ExplainRequest&) const = default; };
struct ExplainReply { bool is_protected = false; std::string steps; bool operator==(const ExplainReply&) const = default; };

// Whether the copy of the kernel's databases is what a fresh dump shows; where it is not, what differs, a line each.
struct MirrorReply { bool same = false; std::uint32_t sas = 0, policies = 0; std::string differences; bool operator==(const MirrorReply&) const = default; };

// Latches of sockets in the order of their cookies, those behind `after`; kMaxList at a time.
struct LatchesRequest { std::uint64_t after = 0; bool operator==(const LatchesRequest&) const = default; };
struct HeldLatch {
  std::uint64_t cookie = 0;
  LatchState state = LatchState::none;
  channel::Flow flow;         // of a listener that of one of its peers
  std::uint32_t owner = ~0U;  // uid that set it
  bool operator==(const HeldLatch&) const = default;
};
struct LatchesReply { std::vector<HeldLatch> latches; bool more = false; bool operator==(const LatchesReply&) const = default; };

[[nodiscard]] base::Bytes encode(const SubscribeRequest& message);
[[nodiscard]] base::Result<SubscribeRequest> decode_subscribe_request(base::View body);
[[nodiscard]] base::Bytes encode(const SubscribeReply& message);
[[nodiscard]] base::Result<SubscribeReply> decode_subscribe_reply(base::View body);
[[nodiscard]] base::Bytes encode(const UnsubscribeRequest& message);
[[nodiscard]] base::Result<UnsubscribeRequest> decode_unsubscribe_request(base::View body);
[[nodiscard]] base::Bytes encode(const Event& message);
[[nodiscard]] base::Result<Event> decode_event(base::View body);
[[nodiscard]] base::Bytes encode(const MetricsReply& message);
[[nodiscard]] base::Result<MetricsReply> decode_metrics_reply(base::View body);
[[nodiscard]] base::Bytes encode(const ExplainRequest& message);
[[nodiscard]] base::Result<ExplainRequest> decode_explain_request(base::View body);
[[nodiscard]] base::Bytes encode(const ExplainReply& message);
[[nodiscard]] base::Result<ExplainReply> decode_explain_reply(base::View body);
[[nodiscard]] base::Bytes encode(const MirrorReply& message);
[[nodiscard]] base::Result<MirrorReply> decode_mirror_reply(base::View body);
[[nodiscard]] base::Bytes encode(const LatchesRequest& message);
[[nodiscard]] base::Result<LatchesRequest> decode_latches_request(base::View body);
[[nodiscard]] base::Bytes encode(const LatchesReply& message);
[[nodiscard]] base::Result<LatchesReply> decode_latches_reply(base::View body);

}  // namespace gssipsec::protocol
