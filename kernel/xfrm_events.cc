// SPDX-License-Identifier: MIT
// Decoding of what the monitor's multicast groups say.
#include <arpa/inet.h>

#include "kernel/xfrm.h"
#include "kernel/xfrm_policy.h"
#include "kernel/xfrm_wire.h"

namespace gssipsec::kernel {

namespace {

using wire::broken;
using Decoded = base::Result<std::optional<Event>>;  // nothing: a message that concerns nobody here

template <typename T>
Decoded event(T value) {
  return std::optional<Event>(std::move(value));
}

base::Result<channel::SaId> id_of(const xfrm_usersa_id& in) {
  const channel::Family family = wire::family_of(in.family);
  if (family == channel::Family::none) return broken("wanted an SA's name of family 2 or 10, found " + std::to_string(in.family));
  return channel::SaId{ntohl(in.spi), wire::address_of(in.daddr, family), in.proto};
}

Decoded sa_added(base::View payload, bool update) {
  auto sa = decode_sa(payload);
  if (!sa) return sa.error();
  return event(SaAdded{*std::move(sa), update});
}

Decoded sa_deleted(base::View payload) {
  const auto raw = wire::head<xfrm_usersa_id>(payload);
  if (!raw) return broken("a deleted SA is cut off");
  auto id = id_of(*raw);
  if (!id) return id.error();
  return event(SaDeleted{*id});
}

Decoded sa_expired(base::View payload) {
  const auto raw = wire::head<xfrm_user_expire>(payload);
  if (!raw) return broken("an expired SA is cut off");
  const channel::Family family = wire::family_of(raw->state.family);
  if (family == channel::Family::none) return broken("an expired SA has no family");
  const channel::SaId id{ntohl(raw->state.id.spi), wire::address_of(raw->state.id.daddr, family), raw->state.id.proto};
  return event(SaExpired{id, raw->hard != 0});
}

Decoded sas_flushed(base::View payload) {
  const auto raw = wire::head<xfrm_usersa_flush>(payload);
  if (!raw) return broken("a flush of SAs is cut off");
  return event(SasFlushed{raw->proto});
}

Decoded mapped(base::View payload) {
  const auto raw = wire::head<xfrm_user_mapping>(payload);
  if (!raw) return broken("a NAT mapping is cut off");
  auto id = id_of(raw->id);
  if (!id) return id.error();
  return event(Mapped{*id});
}

Decoded policy_added(base::View payload, bool update) {
  auto policy = decode_policy(payload);
  if (!policy) return policy.error();
  if (policy->direction == channel::Direction::other) return std::optional<Event>();
  return event(PolicyAdded{*std::move(policy), update});
}

// The header names what the remover asked for (index or selector, not both); the policy itself is in an attribute.
Decoded policy_deleted(base::View payload) {
  const auto id = wire::head<xfrm_userpolicy_id>(payload);
  if (!id) return broken("a deleted policy is cut off");
  auto attributes = wire::Attributes::walk(wire::behind(payload, sizeof(xfrm_userpolicy_id)));
  if (!attributes) return attributes.error();
  xfrm_userpolicy_info info{};
  if (!attributes->has(XFRMA_POLICY) || !attributes->read(XFRMA_POLICY, info)) return broken("a deleted policy does not come with its contents");
  auto policy = policy_of(info, *attributes);
  if (!policy) return policy.error();
  if (policy->direction == channel::Direction::other) return std::optional<Event>();
  return event(PolicyDeleted{policy->index, policy->direction, policy->selector, policy->sub_policy, policy->mark, policy->if_id});
}

Decoded policy_expired(base::View payload) {
  const auto raw = wire::head<xfrm_user_polexpire>(payload);
  if (!raw) return broken("an expired policy is cut off");
  bool odd = false;
  const channel::Direction direction = direction_of(raw->pol.dir, raw->pol.index, odd);
  if (direction == channel::Direction::other) return std::optional<Event>();
  return event(PolicyExpired{raw->pol.index, direction, raw->hard != 0});
}

Decoded policies_flushed(base::View payload) {
  auto attributes = wire::Attributes::walk(payload);
  if (!attributes) return attributes.error();
  auto sub = sub_policy_of(*attributes);
  if (!sub) return sub.error();
  return event(PoliciesFlushed{*sub});
}

Decoded defaults_changed(base::View payload) {
  auto defaults = decode_defaults(payload);
  if (!defaults) return defaults.error();
  return event(*defaults);
}

Decoded decode_one(std::uint16_t type, base::View payload) {
  switch (type) {
    case XFRM_MSG_NEWSA: return sa_added(payload, false);
    case XFRM_MSG_UPDSA: return sa_added(payload, true);
    case XFRM_MSG_DELSA: return sa_deleted(payload);
    case XFRM_MSG_EXPIRE: return sa_expired(payload);
    case XFRM_MSG_FLUSHSA: return sas_flushed(payload);
    case XFRM_MSG_MAPPING: return mapped(payload);
    case XFRM_MSG_NEWPOLICY: return policy_added(payload, false);
    case XFRM_MSG_UPDPOLICY: return policy_added(payload, true);
    case XFRM_MSG_DELPOLICY: return policy_deleted(payload);
    case XFRM_MSG_POLEXPIRE: return policy_expired(payload);
    case XFRM_MSG_FLUSHPOLICY: return policies_flushed(payload);
    case XFRM_MSG_MIGRATE: return event(Migrated{});
    case XFRM_MSG_SETDEFAULT:
    case XFRM_MSG_GETDEFAULT: return defaults_changed(payload);  // the kernel announces a change by the type of the answer
    default: return std::optional<Event>();
  }
}

}  // namespace

base::Result<DefaultsChanged> decode_defaults(base::View payload) {
  const auto raw = wire::head<xfrm_userpolicy_default>(payload);
  if (!raw) return broken("default policies are cut off");
  const auto action = [](std::uint8_t value) { return value == XFRM_USERPOLICY_BLOCK ? channel::Action::block : channel::Action::allow; };
  return DefaultsChanged{action(raw->in), action(raw->out)};
}

base::Result<std::vector<Event>> decode_events(base::View datagram) {
  std::vector<Event> events;
  bool cut = false;
  while (const auto message = wire::next_message(datagram, cut)) {
    if (message->header.nlmsg_type == NLMSG_OVERRUN) return base::fail(base::Code::NETLINK_LOST, "the kernel says that messages were dropped");
    auto decoded = decode_one(message->header.nlmsg_type, message->payload);
    if (!decoded) return decoded.error();
    if (decoded->has_value()) events.push_back(**std::move(decoded));
  }
  if (cut) return broken("a monitor datagram ends inside a message");
  return events;
}

}  // namespace gssipsec::kernel
