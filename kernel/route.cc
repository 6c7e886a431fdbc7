// SPDX-License-Identifier: MIT
// By which device a flow leaves, and what that device means for IPsec.
#include <linux/rtnetlink.h>
#include <netinet/in.h>

#include "kernel/link.h"
#include "kernel/routes.h"
#include "kernel/transaction.h"

namespace gssipsec::kernel {

Request route_request(const channel::Flow& flow) {
  rtmsg header{};
  header.rtm_family = static_cast<unsigned char>(wire::af_of(flow.remote.family));
  header.rtm_dst_len = static_cast<unsigned char>(flow.remote.size() * 8);
  // A bound socket's packets have no choice. To a request, IPv6 takes the device for a wish where a source is named.
  const bool device_only = flow.remote.family == channel::Family::ipv6 && flow.output_ifindex != 0;
  const bool from = !flow.local.is_any() && !device_only;
  header.rtm_src_len = from ? header.rtm_dst_len : 0;
  Request request(RTM_GETROUTE, 0);
  request.fixed(header).attribute(RTA_DST, flow.remote.view());
  if (from) request.attribute(RTA_SRC, flow.local.view());
  if (flow.mark != 0) request.attribute(RTA_MARK, flow.mark);
  if (flow.output_ifindex != 0) request.attribute(RTA_OIF, flow.output_ifindex);
  if (flow.protocol != IPPROTO_TCP && flow.protocol != IPPROTO_UDP) return request;
  request.attribute(RTA_IP_PROTO, static_cast<std::uint8_t>(flow.protocol));
  return request.attribute(RTA_SPORT, htons(flow.local_port)).attribute(RTA_DPORT, htons(flow.remote_port));
}

base::Result<std::unique_ptr<Routes>> Routes::open(int timeout_ms) {
  auto requests = open_route_port(timeout_ms);
  if (!requests) return requests.error();
  auto news = open_link_monitor_port();
  if (!news) return news.error();
  return std::unique_ptr<Routes>(new Routes(*std::move(requests), *std::move(news)));
}

base::Result<RouteFacts> Routes::read(const channel::Flow& flow) {
  const auto route = ask_one(*requests_, route_request(flow), "look-up of a route", decode_route);
  if (!route) return route.error();
  const auto device = devices_.look(*requests_, route->output_ifindex, flow.remote.family);
  if (!device) return device.error();
  RouteFacts facts;
  facts.same_host = route->local || device->link.loopback || flow.local.is_loopback() || flow.remote.is_loopback() || flow.local == flow.remote;
  facts.vrf = device->link.vrf;
  facts.exempt_out = device->exempt.out;
  facts.exempt_in = device->exempt.in;
  facts.output_ifindex = route->output_ifindex;
  facts.if_id = device->link.if_id;
  facts.source = route->source;
  return facts;
}

}  // namespace gssipsec::kernel
