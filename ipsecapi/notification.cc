// SPDX-License-Identifier: MIT
#include "ipsecapi/notification.h"

#include <algorithm>
#include <cstring>

namespace gssipsec::api {
namespace {

using base::Code;
using protocol::EventType;

struct SnType {
  EventType event;
  ipsec_sn_type type;
};
constexpr SnType kSnTypes[] = {
    {EventType::rekeyed, IPSEC_SN_REKEY}, {EventType::migrated, IPSEC_SN_LOCATOR_CHANGE}, {EventType::nat_mapping, IPSEC_SN_NAT_MAPPING},
    {EventType::expiring, IPSEC_SN_SA_SOFT_EXPIRE}, {EventType::peer_dead, IPSEC_SN_PEER_DEAD}, {EventType::latch_broken, IPSEC_SN_LATCH_CHANGE},
    {EventType::latch_restored, IPSEC_SN_LATCH_CHANGE}, {EventType::identity_changed, IPSEC_SN_IDENTITY_CHANGE}, {EventType::lost, IPSEC_SN_LOST},
    {EventType::protection, IPSEC_SN_PROTECTION_CHANGE},
};

// Cut, with NUL.
template <std::size_t N>
void put(char (&room)[N], std::string_view text) noexcept {
  const std::size_t size = std::min(text.size(), N - 1);
  memcpy(room, text.data(), size);
  memset(room + size, 0, N - size);
}

// What a program must hear to know what it does not hear.
bool always_comes(std::uint16_t type) noexcept { return type == IPSEC_SN_LOST || type == IPSEC_SN_BROKER_DOWN; }

std::uint32_t bits_of(std::uint16_t type) noexcept {
  if (type == IPSEC_SN_ALL) return protocol::kAllEvents;
  std::uint32_t bits = 0;
  for (const SnType& known : kSnTypes)
    if (known.type == type) bits |= event_bit(known.event);
  return bits;
}

}  // namespace

ipsec_notification notification_of(const protocol::Event& event) noexcept {
  ipsec_notification out{};
  const auto known = std::ranges::find(kSnTypes, event.type, &SnType::event);
  out.sn_header.sn_type = static_cast<std::uint16_t>(known == std::end(kSnTypes) ? IPSEC_SN_LOST : known->type);
  out.sn_header.sn_length = sizeof out;
  out.sn_when = event.when;
  out.sn_reason = static_cast<std::uint32_t>(event.code);
  out.sn_missing = event.missing;
  if (event.type == EventType::latch_broken) out.sn_state = IPSEC_LATCH_BROKEN;
  if (event.type == EventType::latch_restored) out.sn_state = IPSEC_LATCH_ESTABLISHED;
  put(out.sn_peer, event.peer);
  put(out.sn_text, event.detail);
  return out;
}

ipsec_notification end_of_stream(const base::Error& why) noexcept {
  ipsec_notification out{};
  out.sn_header.sn_type = IPSEC_SN_BROKER_DOWN;
  out.sn_header.sn_length = sizeof out;
  out.sn_reason = static_cast<std::uint32_t>(why.code);
  put(out.sn_text, why.detail);
  return out;
}

base::Result<std::uint32_t> types_of(const ipsec_event* events, std::size_t count) {
  std::uint32_t types = 0;
  for (const ipsec_event& event : std::span(events, count)) {
    const std::uint32_t bits = bits_of(event.se_type);
    if (bits == 0 && !always_comes(event.se_type)) return base::fail(Code::BAD_ARGUMENT, "unknown event type " + std::to_string(event.se_type));
    types = event.se_on ? types | bits : types & ~bits;
  }
  if (types == 0) return base::fail(Code::BAD_ARGUMENT, "wanted at least one type of event");
  return types;
}

}  // namespace gssipsec::api
