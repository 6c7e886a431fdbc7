// SPDX-License-Identifier: MIT
// Protection tokens of what is no connection: what one would have, and what is known of a datagram that came.
#include <netinet/in.h>

#include <cstring>

#include "ipsecapi/boundary.h"
#include "ipsecapi/look.h"
#include "ipsecapi/socket_address.h"
#include "ipsecapi/tokens.h"

namespace gssipsec::api {
namespace {

using protocol::Sight;
using protocol::SurveyRequest;

int fill(int fd, const SurveyRequest& request, Protection& protection) {
  auto found = survey_of(fd, request);
  if (!found) return fail(found.error());
  return protection = {*std::move(found), {}, request.sight == Sight::prospect}, 0;
}

// Where the datagram came to, if IP_PKTINFO or IPV6_RECVPKTINFO was asked for.
channel::Address arrived_at(const msghdr& message) noexcept {
  for (const cmsghdr* control = CMSG_FIRSTHDR(&message); control; control = CMSG_NXTHDR(const_cast<msghdr*>(&message), const_cast<cmsghdr*>(control))) {
    in_pktinfo four;
    in6_pktinfo six;
    if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO && control->cmsg_len >= CMSG_LEN(sizeof four)) {
      memcpy(&four, CMSG_DATA(control), sizeof four);
      return channel::address_from(channel::Family::ipv4, std::as_bytes(std::span(&four.ipi_addr, 1)));
    }
    if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO && control->cmsg_len >= CMSG_LEN(sizeof six)) {
      memcpy(&six, CMSG_DATA(control), sizeof six);
      return channel::address_from(channel::Family::ipv6, std::as_bytes(std::span(&six.ipi6_addr, 1))).unmapped();
    }
  }
  return {};
}

}  // namespace
}  // namespace gssipsec::api

using namespace gssipsec::api;

#pragma GCC visibility push(default)

int ipsec_probe(int fd, const sockaddr* to, socklen_t length, ipsec_pToken_t token) {
  Protection* protection = protection_of(token);
  if (!protection || !to || length < sizeof(sa_family_t)) return bad_argument("wanted an address, and a protection token");
  return guarded([&] {
    const auto end = end_of(to, length);
    return end.ok() ? fill(fd, {Sight::prospect, end->address, end->port, {}}, *protection) : fail(end.error());
  });
}

int ipsec_get_msg_pToken(int fd, const msghdr* message, ipsec_pToken_t token) {
  Protection* protection = protection_of(token);
  if (!protection || !message || !message->msg_name || message->msg_namelen < sizeof(sa_family_t))
    return bad_argument("wanted a message with its source, and a protection token");
  return guarded([&] {
    const auto source = end_of(static_cast<const sockaddr*>(message->msg_name), message->msg_namelen);
    return source.ok() ? fill(fd, {Sight::datagram, source->address, source->port, arrived_at(*message)}, *protection) : fail(source.error());
  });
}

#pragma GCC visibility pop
