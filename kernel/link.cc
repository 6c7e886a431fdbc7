// SPDX-License-Identifier: MIT
#include "kernel/link.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <functional>

#include "kernel/xfrm_wire.h"

namespace gssipsec::kernel {

namespace {

using wire::broken;

constexpr std::uint16_t kXfrmIfId = 2;  // IFLA_XFRM_IF_ID

// rtnetlink's attributes are hundreds, some come twice: each is offered, none is kept.
base::Status each(base::View data, const std::function<void(std::uint16_t, base::View)>& take) {
  while (!data.empty()) {
    const auto header = wire::head<nlattr>(data);
    if (!header || header->nla_len < sizeof(nlattr) || header->nla_len > data.size()) return broken("an rtnetlink attribute is cut off");
    take(header->nla_type & NLA_TYPE_MASK, data.first(header->nla_len).subspan(sizeof(nlattr)));
    data = wire::behind(data, header->nla_len);
  }
  return {};
}

std::string text(base::View value) {
  const auto end = std::find(value.begin(), value.end(), std::byte{0});
  return std::string(base::text_of(value.first(static_cast<std::size_t>(end - value.begin()))));
}

base::Status read_info(base::View data, Link& link) {
  std::string kind;
  base::View details;
  const base::Status ok = each(data, [&](std::uint16_t type, base::View value) {
    if (type == IFLA_INFO_KIND) kind = text(value);
    if (type == IFLA_INFO_DATA) details = value;
    if (type == IFLA_INFO_SLAVE_KIND && text(value) == "vrf") link.vrf = true;
  });
  if (kind == "vrf") link.vrf = true;
  if (!ok || kind != "xfrm") return ok;
  return each(details, [&link](std::uint16_t type, base::View value) {
    if (type == kXfrmIfId) link.if_id = wire::head<std::uint32_t>(value).value_or(0);
  });
}

channel::Address address_from(unsigned family, base::View octets) {
  channel::Address out;
  out.family = wire::family_of(family);
  if (octets.size() != out.size()) return {};
  std::copy(octets.begin(), octets.end(), out.octets.begin());
  return out;
}

}  // namespace

base::Result<Route> decode_route(base::View payload) {
  const auto header = wire::head<rtmsg>(payload);
  if (!header) return broken("a route is cut off");
  Route route;
  route.local = header->rtm_type == RTN_LOCAL;
  const base::Status ok = each(wire::behind(payload, sizeof(rtmsg)), [&](std::uint16_t type, base::View value) {
    if (type == RTA_OIF) route.output_ifindex = wire::head<std::uint32_t>(value).value_or(0);
    if (type == RTA_PREFSRC) route.source = address_from(header->rtm_family, value);
  });
  if (!ok) return ok.error();
  if (header->rtm_type != RTN_UNICAST && !route.local) return broken("wanted a unicast or local route, found type " + std::to_string(header->rtm_type));
  if (route.output_ifindex == 0) return broken("a route names no device");
  return route;
}

base::Result<Link> decode_link(base::View payload) {
  const auto header = wire::head<ifinfomsg>(payload);
  if (!header) return broken("a link is cut off");
  Link link;
  link.loopback = (header->ifi_flags & IFF_LOOPBACK) != 0;
  base::View info;
  base::Status ok = each(wire::behind(payload, sizeof(ifinfomsg)), [&](std::uint16_t type, base::View value) {
    if (type == IFLA_IFNAME) link.name = text(value);
    if (type == IFLA_LINKINFO) info = value;
  });
  if (ok) ok = read_info(info, link);
  if (!ok) return ok.error();
  if (link.name.empty() || link.name[0] == '.' || link.name.find('/') != std::string::npos) return broken("a link has no usable name");
  return link;
}

}  // namespace gssipsec::kernel
