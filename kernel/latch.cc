// SPDX-License-Identifier: MIT
#include "kernel/latch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "kernel/socket.h"
#include "kernel/xfrm_wire.h"

namespace gssipsec::kernel {

namespace {

using base::Code;
using base::Status;

constexpr int kIpXfrmPolicy = 17, kIpv6XfrmPolicy = 35;  // numbers are ABI

Status check(const std::vector<channel::Template>& templates) {
  if (templates.empty() || templates.size() > wire::kMaxTemplates)
    return base::fail(Code::NOT_LATCHABLE, "wanted 1 to 6 templates, found " + std::to_string(templates.size()));
  for (const channel::Template& one : templates) {
    if (one.optional) return base::fail(Code::NOT_LATCHABLE, "an optional template would let clear text pass");
    if (one.reqid == 0) return base::fail(Code::NOT_LATCHABLE, "a template with reqid 0 would accept any SA of these hosts");
    if (one.mode == channel::Mode::other) return base::fail(Code::NOT_LATCHABLE, "a template of this mode cannot be copied");
  }
  return {};
}

xfrm_userpolicy_info policy_for(const channel::Flow& flow, channel::Direction direction, const PolicyOwner& owner) noexcept {
  xfrm_userpolicy_info info{};
  info.sel.family = static_cast<std::uint16_t>(wire::af_of(flow.local.family));
  const PolicyLimits limits = limits_of(owner);
  info.lft.soft_byte_limit = limits.octets;
  info.lft.soft_packet_limit = limits.packets;
  info.lft.hard_byte_limit = info.lft.hard_packet_limit = XFRM_INF;
  info.dir = static_cast<std::uint8_t>(direction);
  info.action = XFRM_POLICY_ALLOW;
  info.share = XFRM_SHARE_ANY;
  return info;
}

xfrm_user_tmpl template_for(const channel::Template& in, const channel::Flow& flow) noexcept {
  xfrm_user_tmpl out{};
  out.id.daddr = wire::to_kernel(in.destination);
  out.id.spi = htonl(in.spi);
  out.id.proto = in.protocol;
  out.saddr = wire::to_kernel(in.source);
  out.family = static_cast<std::uint16_t>(wire::af_of(in.family == channel::Family::none ? flow.local.family : in.family));
  out.reqid = in.reqid;
  out.mode = wire::to_kernel(in.mode);
  out.share = XFRM_SHARE_ANY;
  out.aalgos = out.ealgos = out.calgos = ~0u;
  return out;
}

template <typename T>
void append(base::Bytes& out, const T& value) {
  const auto* octets = reinterpret_cast<const std::byte*>(&value);
  out.insert(out.end(), octets, octets + sizeof value);
}

Status set_one(int fd, const LatchOption& option, const base::Bytes& policy) {
  if (::setsockopt(fd, option.level, option.name, policy.data(), static_cast<socklen_t>(policy.size())) == 0) return {};
  return base::system_error(Code::NOT_LATCHABLE, "setting the socket's policy", errno);
}

}  // namespace

LatchOption latch_option(const channel::Flow& flow) noexcept {
  if (flow.on_ipv6_socket) return {IPPROTO_IPV6, kIpv6XfrmPolicy};
  return {IPPROTO_IP, kIpXfrmPolicy};
}

base::Result<base::Bytes> encode_latch(const channel::Flow& flow, channel::Direction direction, const std::vector<channel::Template>& templates,
                                       const PolicyOwner& owner) {
  if (flow.local.family == channel::Family::none) return base::fail(Code::NOT_LATCHABLE, "the connection has no address family");
  if (Status ok = check(templates); !ok) return ok.error();
  base::Bytes out;
  append(out, policy_for(flow, direction, owner));
  for (const channel::Template& one : templates) append(out, template_for(one, flow));
  return out;
}

base::Status set_latch(int fd, const channel::Flow& flow, const std::vector<channel::Template>& out, const std::vector<channel::Template>& in,
                       const PolicyOwner& owner, bool replaces) {
  const auto outbound = encode_latch(flow, channel::Direction::out, out, owner);
  if (!outbound) return outbound.error();
  const auto inbound = encode_latch(flow, channel::Direction::in, in, owner);
  if (!inbound) return inbound.error();
  const LatchOption option = latch_option(flow);
  if (Status set = set_one(fd, option, *outbound); !set) return set;
  Status set = set_one(fd, option, *inbound);
  if (!set && !replaces) (void)clear_latch(fd, flow);
  return set;
}

// No value at all removes the policies of both directions; the kernel has no way to remove one.
base::Status clear_latch(int fd, const channel::Flow& flow) {
  const LatchOption option = latch_option(flow);
  if (::setsockopt(fd, option.level, option.name, nullptr, 0) == 0) return {};
  return base::system_error(Code::SYSTEM, "removing the socket's policy", errno);
}

}  // namespace gssipsec::kernel
