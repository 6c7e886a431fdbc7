// SPDX-License-Identifier: MIT
#include "kernel/diag_message.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>

#include "kernel/xfrm_wire.h"

namespace gssipsec::kernel {

namespace {

channel::Address address_in(const inet_diag_msg& message, const __be32 (&octets)[4]) noexcept {
  channel::Address out;
  out.family = wire::family_of(message.idiag_family);
  std::memcpy(out.octets.data(), octets, out.size());
  return out.unmapped();
}

}  // namespace

base::Result<DiagSocket> decode_diag(base::View payload) {
  constexpr int kListen = 10;
  const auto raw = wire::head<inet_diag_msg>(payload);
  if (!raw) return wire::broken("a socket's description is cut off");
  DiagSocket out;
  out.cookie = std::uint64_t{raw->id.idiag_cookie[1]} << 32 | raw->id.idiag_cookie[0];
  out.local = address_in(*raw, raw->id.idiag_src);
  out.remote = address_in(*raw, raw->id.idiag_dst);
  out.local_port = ntohs(raw->id.idiag_sport);
  out.remote_port = ntohs(raw->id.idiag_dport);
  out.uid = raw->idiag_uid;
  out.listening = raw->idiag_state == kListen;
  return out;
}

base::Result<std::vector<std::uint64_t>> decode_closings(base::View datagram) {
  std::vector<std::uint64_t> cookies;
  bool cut = false;
  while (const auto message = wire::next_message(datagram, cut)) {
    if (message->header.nlmsg_type == NLMSG_OVERRUN) return base::fail(base::Code::NETLINK_LOST, "the kernel says that messages were dropped");
    if (message->header.nlmsg_type != SOCK_DIAG_BY_FAMILY) continue;
    const auto socket = decode_diag(message->payload);
    if (!socket) return socket.error();
    cookies.push_back(socket->cookie);
  }
  if (cut) return wire::broken("news of closed sockets ends inside a message");
  return cookies;
}

}  // namespace gssipsec::kernel
