// SPDX-License-Identifier: MIT
#include "kernel/xfrm_wire.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>

namespace gssipsec::kernel::wire {

namespace {
constexpr std::size_t aligned(std::size_t length) noexcept { return (length + 3) & ~std::size_t{3}; }
}  // namespace

base::View behind(base::View payload, std::size_t size) noexcept {
  return payload.subspan(std::min(payload.size(), aligned(size)));
}

base::Result<Attributes> Attributes::walk(base::View data) {
  Attributes out;
  while (!data.empty()) {
    const auto header = head<nlattr>(data);
    if (!header) return broken("wanted an attribute header of 4 octets, found " + std::to_string(data.size()));
    if (header->nla_len < sizeof(nlattr) || header->nla_len > data.size())
      return broken("wanted an attribute of 4 to " + std::to_string(data.size()) + " octets, found length " + std::to_string(header->nla_len));
    const base::View value = data.first(header->nla_len).subspan(sizeof(nlattr));
    if (base::Status added = out.add(header->nla_type & NLA_TYPE_MASK, value); !added) return added.error();
    data = data.subspan(std::min(data.size(), aligned(header->nla_len)));
  }
  return out;
}

base::Status Attributes::add(std::uint16_t type, base::View value) {
  if (type == XFRMA_PAD || type == XFRMA_UNSPEC) return {};
  if (type > kLastKnown) {
    unknown_ = true;
    return {};
  }
  if (present_[type]) return broken("attribute " + std::to_string(type) + " comes twice");
  present_[type] = true;
  values_[type] = value;
  return {};
}

channel::Family family_of(unsigned af) noexcept {
  if (af == AF_INET) return channel::Family::ipv4;
  return af == AF_INET6 ? channel::Family::ipv6 : channel::Family::none;
}

unsigned af_of(channel::Family family) noexcept {
  if (family == channel::Family::ipv4) return AF_INET;
  return family == channel::Family::ipv6 ? AF_INET6 : AF_UNSPEC;
}

channel::Address address_of(const xfrm_address_t& address, channel::Family family) noexcept {
  channel::Address out;
  out.family = family;
  std::memcpy(out.octets.data(), &address, out.size());
  return out;
}

xfrm_address_t to_kernel(const channel::Address& address) noexcept {
  xfrm_address_t out{};
  std::memcpy(&out, address.octets.data(), address.size());
  return out;
}

channel::Mode mode_of(std::uint8_t mode) noexcept {
  switch (mode) {
    case XFRM_MODE_TRANSPORT: return channel::Mode::transport;
    case XFRM_MODE_TUNNEL: return channel::Mode::tunnel;
    case XFRM_MODE_BEET: return channel::Mode::beet;
    default: return channel::Mode::other;
  }
}

std::uint8_t to_kernel(channel::Mode mode) noexcept {
  if (mode == channel::Mode::tunnel) return XFRM_MODE_TUNNEL;
  return mode == channel::Mode::beet ? XFRM_MODE_BEET : XFRM_MODE_TRANSPORT;
}

base::Result<channel::Selector> selector_of(const xfrm_selector& in) {
  channel::Selector out;
  out.family = family_of(in.family);
  if (in.family != AF_UNSPEC && out.family == channel::Family::none)
    return broken("wanted a selector of family 0, 2 or 10, found " + std::to_string(in.family));
  const unsigned bits = out.family == channel::Family::ipv4 ? 32 : 128;
  if (in.prefixlen_s > bits || in.prefixlen_d > bits) return broken("wanted a prefix of at most " + std::to_string(bits) + " bits in a selector");
  out.source = {address_of(in.saddr, out.family), in.prefixlen_s};
  out.destination = {address_of(in.daddr, out.family), in.prefixlen_d};
  out.source_port = ntohs(in.sport);
  out.source_port_mask = ntohs(in.sport_mask);
  out.destination_port = ntohs(in.dport);
  out.destination_port_mask = ntohs(in.dport_mask);
  out.protocol = in.proto;
  out.ifindex = static_cast<std::uint32_t>(in.ifindex);
  out.user = in.user;
  return out;
}

bool read_mark(const Attributes& attributes, channel::Mark& mark) noexcept {
  xfrm_mark got{};
  if (!attributes.read(XFRMA_MARK, got)) return false;
  mark = {got.v, got.m};
  return true;
}

std::optional<Message> next_message(base::View& rest, bool& broken) noexcept {
  if (rest.empty()) return std::nullopt;
  const auto header = head<nlmsghdr>(rest);
  broken = !header || header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > rest.size();
  if (broken) return std::nullopt;
  const Message out{*header, rest.first(header->nlmsg_len).subspan(sizeof(nlmsghdr))};
  rest = rest.subspan(std::min(rest.size(), aligned(header->nlmsg_len)));
  return out;
}

}  // namespace gssipsec::kernel::wire
