// SPDX-License-Identifier: MIT
// All sockets of the namespace, and closing one from outside.
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>

#include <algorithm>

#include "kernel/diag_message.h"
#include "kernel/socket.h"
#include "kernel/transaction.h"

namespace gssipsec::kernel {

namespace {

using base::Code;
using base::Status;
using wire::Message;

constexpr std::uint32_t kAllStates = ~0u;
constexpr int kClosed = 7, kListen = 10;  // of enum tcp_state; an unconnected UDP socket is "closed"

Status list_family(NetlinkPort& port, std::uint16_t protocol, std::uint8_t family, std::uint32_t states, std::vector<DiagSocket>& sockets) {
  inet_diag_req_v2 query{};
  query.sdiag_family = family;
  query.sdiag_protocol = static_cast<std::uint8_t>(protocol);
  query.idiag_states = states;
  Request request(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP);
  request.fixed(query);
  auto outcome = transact(port, request, [&sockets](const Message& message) -> Status {
    if (message.header.nlmsg_type != SOCK_DIAG_BY_FAMILY) return {};
    auto one = decode_diag(message.payload);
    if (!one) return one.error();
    sockets.push_back(*one);
    return {};
  });
  if (!outcome) return outcome.error();
  if (outcome->error == ENOENT || outcome->error == EOPNOTSUPP) return base::fail(Code::UNAVAILABLE, "the kernel lists no sockets of this protocol; load its _diag module");
  if (outcome->error != 0) return base::system_error(Code::NETLINK, "list of sockets", outcome->error);
  return {};
}

base::Result<std::vector<DiagSocket>> list_states(std::uint16_t protocol, std::uint32_t states) {
  auto port = open_diag_port(kTimeoutMs);
  if (!port) return port.error();
  std::vector<DiagSocket> sockets;
  if (protocol > 255) return base::fail(Code::UNAVAILABLE, "sockets of protocol " + std::to_string(protocol) + " are not listed");
  for (const int family : {AF_INET, AF_INET6})
    if (Status ok = list_family(**port, protocol, static_cast<std::uint8_t>(family), states, sockets); !ok) return ok.error();
  return sockets;
}

// Whatever is at this end of the flow.
inet_diag_req_v2 local_query(const channel::Flow& flow) noexcept {
  inet_diag_req_v2 query{};
  query.sdiag_family = static_cast<std::uint8_t>(wire::af_of(flow.local.family));
  query.sdiag_protocol = static_cast<std::uint8_t>(flow.protocol);
  query.idiag_states = kAllStates;
  query.id.idiag_sport = htons(flow.local_port);
  std::memcpy(query.id.idiag_src, flow.local.octets.data(), flow.local.size());
  query.id.idiag_if = flow.output_ifindex;
  query.id.idiag_cookie[0] = query.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  return query;
}

inet_diag_req_v2 destroy_query(const channel::Flow& flow, std::uint64_t cookie) noexcept {
  inet_diag_req_v2 query = local_query(flow);
  query.id.idiag_dport = htons(flow.remote_port);
  std::memcpy(query.id.idiag_dst, flow.remote.octets.data(), flow.remote.size());
  query.id.idiag_cookie[0] = static_cast<std::uint32_t>(cookie);
  query.id.idiag_cookie[1] = static_cast<std::uint32_t>(cookie >> 32);
  return query;
}

// The errno of SOCK_DESTROY, 0 when it is done.
base::Result<int> try_to_destroy(const channel::Flow& flow, std::uint64_t cookie) {
  auto port = open_diag_port(kTimeoutMs);
  if (!port) return port.error();
  Request request(SOCK_DESTROY, NLM_F_ACK);
  request.fixed(destroy_query(flow, cookie));
  const auto outcome = transact(**port, request, [](const Message&) -> Status { return {}; });
  if (!outcome) return outcome.error();
  return outcome->error;
}

// Nobody's connection: of TCP the kernel finds who would be given a SYN from there.
base::Result<bool> finds_listener(const channel::Flow& flow) {
  auto port = open_diag_port(kTimeoutMs);
  if (!port) return port.error();
  Request request(SOCK_DIAG_BY_FAMILY, 0);
  request.fixed(local_query(flow));
  const auto found = transact(**port, request, [](const Message&) -> Status { return {}; });
  if (!found) return found.error();
  if (found->error != 0 && found->error != ENOENT) return base::system_error(Code::NETLINK, "look-up of a listener", found->error);
  return found->error == 0;
}

}  // namespace

base::Result<std::vector<DiagSocket>> list_sockets(std::uint16_t protocol) { return list_states(protocol, kAllStates); }

// ENOENT is the answer of a kernel without tcp_diag, too.
base::Result<bool> has_listener(const channel::Flow& flow) {
  static const bool looks_up = list_states(IPPROTO_TCP, 1u << kListen).ok();
  if (looks_up && flow.protocol == IPPROTO_TCP) return finds_listener(flow);
  const auto sockets = list_states(flow.protocol, 1u << (flow.protocol == IPPROTO_UDP ? kClosed : kListen));
  if (!sockets) return sockets.error();
  return std::ranges::any_of(*sockets, [&flow](const DiagSocket& one) { return one.local_port == flow.local_port; });
}

// ESTALE: the port pair belongs to another socket by now, which must live.
base::Status destroy_socket(const channel::Flow& flow, std::uint64_t cookie) {
  if (flow.protocol > 255) return base::fail(Code::UNAVAILABLE, "sockets of this protocol cannot be closed from outside");
  const auto error = try_to_destroy(flow, cookie);
  if (!error) return error.error();
  switch (*error) {
    case 0: return {};
    case ESTALE: return base::fail(Code::SOCKET_CHANGED, "the connection to be closed is gone, another has its ports");
    case ENOENT: return base::fail(Code::UNAVAILABLE, "the kernel knows no such connection");
    case EOPNOTSUPP: return base::fail(Code::UNAVAILABLE, "this kernel closes no sockets from outside (CONFIG_INET_DIAG_DESTROY)");
    default: return base::system_error(Code::NETLINK, "SOCK_DESTROY", *error);
  }
}

// Asked about a connection that cannot be: from port 0 to port 0.
bool destroys_sockets(std::uint16_t protocol) {
  channel::Flow nowhere;
  nowhere.protocol = protocol;
  nowhere.local = nowhere.remote = {channel::Family::ipv4, {std::byte{127}, std::byte{0}, std::byte{0}, std::byte{1}}};
  const auto error = protocol > 255 ? base::Result<int>(EOPNOTSUPP) : try_to_destroy(nowhere, 1);
  return error.ok() && (*error == ENOENT || *error == ESTALE);
}

}  // namespace gssipsec::kernel
