// SPDX-License-Identifier: MIT
// Decoding of policies (XFRM_MSG_NEWPOLICY and its kin).
#include <arpa/inet.h>

#include "kernel/xfrm.h"
#include "kernel/xfrm_policy.h"
#include "kernel/xfrm_wire.h"

namespace gssipsec::kernel {

namespace {

using wire::Attributes;
using wire::broken;

base::Result<channel::Template> template_of(const xfrm_user_tmpl& in) {
  channel::Template out;
  out.family = wire::family_of(in.family);
  if (out.family == channel::Family::none) return broken("wanted a template of family 2 or 10, found " + std::to_string(in.family));
  out.protocol = in.id.proto;
  out.mode = wire::mode_of(in.mode);
  out.source = wire::address_of(in.saddr, out.family);
  out.destination = wire::address_of(in.id.daddr, out.family);
  out.spi = ntohl(in.id.spi);
  out.reqid = in.reqid;
  out.optional = in.optional != 0;
  out.auth_algorithms = in.aalgos;
  out.encryption_algorithms = in.ealgos;
  out.compression_algorithms = in.calgos;
  return out;
}

base::Status read_templates(const Attributes& attributes, channel::Policy& policy) {
  base::View data = attributes.raw(XFRMA_TMPL);
  const std::size_t count = data.size() / sizeof(xfrm_user_tmpl);
  if (data.size() % sizeof(xfrm_user_tmpl) != 0 || count > wire::kMaxTemplates)
    return broken("wanted up to 6 whole templates, found " + std::to_string(data.size()) + " octets");
  for (; !data.empty(); data = data.subspan(sizeof(xfrm_user_tmpl))) {
    auto one = template_of(*wire::head<xfrm_user_tmpl>(data));
    if (!one) return one.error();
    policy.templates.push_back(*std::move(one));
  }
  return {};
}

bool expected_in_policy(std::uint16_t type) noexcept {
  return type == XFRMA_TMPL || type == XFRMA_POLICY_TYPE || type == XFRMA_MARK || type == XFRMA_IF_ID || type == XFRMA_LASTUSED || type == XFRMA_POLICY;
}

bool has_unexpected(const Attributes& attributes) noexcept {
  for (std::uint16_t type = 0; type <= wire::kLastKnown; ++type)
    if (attributes.has(type) && !expected_in_policy(type)) return true;
  return attributes.has_unknown();
}

}  // namespace

// The kernel keeps the direction in the low three bits of the index; 3 and 4 are socket policies. Five and six come only
// from an administrator who chose such an index himself: the kernel checks two bits of it, and the policy acts on out and
// forward.
channel::Direction direction_of(std::uint8_t direction, std::uint32_t index, bool& odd) noexcept {
  const std::uint32_t by_index = index & 7;
  odd = by_index == 5 || by_index == 6;
  if (odd) return static_cast<channel::Direction>(by_index & 3);
  if (direction >= XFRM_POLICY_MAX || by_index >= XFRM_POLICY_MAX) return channel::Direction::other;
  return static_cast<channel::Direction>(direction);
}

base::Result<bool> sub_policy_of(const Attributes& attributes) {
  xfrm_userpolicy_type type{};
  if (!attributes.read(XFRMA_POLICY_TYPE, type)) return broken("a policy type is cut off");
  if (type.type > XFRM_POLICY_TYPE_SUB) return broken("wanted policy type 0 or 1, found " + std::to_string(type.type));
  return type.type == XFRM_POLICY_TYPE_SUB;
}

base::Result<channel::Policy> policy_of(const xfrm_userpolicy_info& info, const Attributes& attributes) {
  channel::Policy policy;
  auto selector = wire::selector_of(info.sel);
  if (!selector) return selector.error();
  auto sub = sub_policy_of(attributes);
  if (!sub) return sub.error();
  if (info.action > XFRM_POLICY_BLOCK) return broken("wanted policy action 0 or 1, found " + std::to_string(info.action));
  policy.index = info.index;
  policy.direction = direction_of(info.dir, info.index, policy.incomplete);
  policy.selector = *selector;
  policy.priority = info.priority;
  policy.action = info.action == XFRM_POLICY_BLOCK ? channel::Action::block : channel::Action::allow;
  policy.sub_policy = *sub;
  policy.flags = info.flags;
  policy.added = info.curlft.add_time;
  if (!wire::read_mark(attributes, policy.mark) || !attributes.read(XFRMA_IF_ID, policy.if_id)) return broken("a mark or if_id is cut off");
  if (base::Status ok = read_templates(attributes, policy); !ok) return ok.error();
  policy.incomplete = policy.incomplete || has_unexpected(attributes);
  return policy;
}

base::Result<channel::Policy> decode_policy(base::View payload) {
  const auto info = wire::head<xfrm_userpolicy_info>(payload);
  if (!info) return broken("wanted a policy of " + std::to_string(sizeof(xfrm_userpolicy_info)) + " octets, found " + std::to_string(payload.size()));
  auto attributes = Attributes::walk(wire::behind(payload, sizeof(xfrm_userpolicy_info)));
  if (!attributes) return attributes.error();
  return policy_of(*info, *attributes);
}

base::Result<std::optional<PolicyOwner>> decode_policy_owner(base::View payload) {
  const auto info = wire::head<xfrm_userpolicy_info>(payload);
  if (!info) return broken("wanted a policy of " + std::to_string(sizeof(xfrm_userpolicy_info)) + " octets, found " + std::to_string(payload.size()));
  bool odd = false;
  if (direction_of(info->dir, info->index, odd) != channel::Direction::other) return std::optional<PolicyOwner>();
  return owner_of({info->lft.soft_byte_limit, info->lft.soft_packet_limit});
}

}  // namespace gssipsec::kernel
