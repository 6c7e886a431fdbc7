// SPDX-License-Identifier: MIT
// By which device a flow leaves, and what that device means for IPsec.
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "kernel/link.h"
#include "kernel/socket.h"
#include "kernel/transaction.h"

namespace gssipsec::kernel {

namespace {

using base::Code;
using base::Status;
using wire::Message;


Status ask(NetlinkPort& port, const Request& request, const char* what, const Consumer& consume) {
  auto outcome = transact(port, request, consume);
  if (!outcome) return outcome.error();
  if (outcome->error != 0) return base::system_error(Code::NETLINK, what, outcome->error);
  return {};
}

Status read_link(NetlinkPort& port, std::uint32_t ifindex, Link& link) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(ifindex);
  Request request(RTM_GETLINK, 0);
  request.fixed(header);
  return ask(port, request, "look-up of a link", [&link](const Message& message) -> Status {
    auto decoded = decode_link(message.payload);
    if (!decoded) return decoded.error();
    link = *std::move(decoded);
    return {};
  });
}

// "0\n" is no; anything else is yes, and what is absent too. What cannot be read is an error.
base::Result<bool> switched_on(const std::string& path) {
  const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd && errno == ENOENT) return true;
  if (!fd) return base::system_error(Code::SYSTEM, path.c_str(), errno);
  char first = 0;
  if (::read(fd.get(), &first, 1) != 1) return base::system_error(Code::SYSTEM, path.c_str(), errno);
  return first != '0';
}

// `all` counts although most kernels do not look at it. A device that went away counts as exempt: nobody knows by what it
// was replaced.
base::Result<bool> is_set(const std::string& conf, const std::string& device, const char* option) {
  for (const std::string& name : {std::string("all"), device}) {
    auto on = switched_on(conf + name + option);
    if (!on || *on) return on;
  }
  return false;
}

// IPv6 has disable_policy only.
Status read_exemptions(channel::Family family, const std::string& device, RouteFacts& facts) {
  const bool ipv4 = family == channel::Family::ipv4;
  const std::string conf = ipv4 ? "/proc/sys/net/ipv4/conf/" : "/proc/sys/net/ipv6/conf/";
  auto in = is_set(conf, device, "/disable_policy");
  auto out = ipv4 ? is_set(conf, device, "/disable_xfrm") : base::Result<bool>(false);
  if (!in || !out) return (in ? out : in).error();
  facts.exempt_in = *in;
  facts.exempt_out = *out;
  return {};
}

}  // namespace

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

base::Result<RouteFacts> read_route(const channel::Flow& flow) {
  auto port = open_route_port(kTimeoutMs);
  if (!port) return port.error();
  return read_route(**port, flow);
}

base::Result<RouteFacts> read_route(NetlinkPort& port, const channel::Flow& flow) {
  Route route;
  Status ok = ask(port, route_request(flow), "look-up of a route", [&route](const Message& message) -> Status {
    auto decoded = decode_route(message.payload);
    if (!decoded) return decoded.error();
    route = *decoded;
    return {};
  });
  if (!ok) return ok.error();
  Link link;
  if (ok = read_link(port, route.output_ifindex, link); !ok) return ok.error();
  RouteFacts facts;
  if (ok = read_exemptions(flow.remote.family, link.name, facts); !ok) return ok.error();
  facts.same_host = route.local || link.loopback || flow.local.is_loopback() || flow.remote.is_loopback() || flow.local == flow.remote;
  facts.vrf = link.vrf;
  facts.output_ifindex = route.output_ifindex;
  facts.if_id = link.if_id;
  facts.source = route.source;
  return facts;
}

}  // namespace gssipsec::kernel
