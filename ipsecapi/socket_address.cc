// SPDX-License-Identifier: MIT
#include "ipsecapi/socket_address.h"

#include <netinet/in.h>

#include <cstring>
#include <span>

namespace gssipsec::api {

using base::Code;

base::Result<End> end_of(const sockaddr* address, socklen_t length) {
  if (address->sa_family == AF_INET && length >= sizeof(sockaddr_in)) {
    sockaddr_in four;
    memcpy(&four, address, sizeof four);
    return End{channel::address_from(channel::Family::ipv4, std::as_bytes(std::span(&four.sin_addr, 1))), ntohs(four.sin_port)};
  }
  if (address->sa_family == AF_INET6 && length >= sizeof(sockaddr_in6)) {
    sockaddr_in6 six;
    memcpy(&six, address, sizeof six);
    return End{channel::address_from(channel::Family::ipv6, std::as_bytes(std::span(&six.sin6_addr, 1))).unmapped(), ntohs(six.sin6_port)};
  }
  return base::fail(Code::BAD_ARGUMENT, "wanted an address of AF_INET or AF_INET6");
}

socklen_t socket_address(const channel::Address& address, std::uint16_t port, int domain, sockaddr_storage& out) noexcept {
  const bool four = address.family == channel::Family::ipv4;
  if (domain == AF_INET) {
    if (!four) return 0;
    sockaddr_in made{AF_INET, htons(port), {}, {}};
    memcpy(&made.sin_addr, address.octets.data(), sizeof made.sin_addr);
    return memcpy(&out, &made, sizeof made), socklen_t{sizeof made};
  }
  sockaddr_in6 made{AF_INET6, htons(port), 0, {}, 0};
  if (four) made.sin6_addr.s6_addr[10] = made.sin6_addr.s6_addr[11] = 0xff;
  memcpy(made.sin6_addr.s6_addr + (four ? 12 : 0), address.octets.data(), address.size());
  return memcpy(&out, &made, sizeof made), socklen_t{sizeof made};
}

socklen_t socket_address(const channel::Address& address, std::uint16_t port, sockaddr_storage& out) noexcept {
  return socket_address(address, port, address.family == channel::Family::ipv4 ? AF_INET : AF_INET6, out);
}

}  // namespace gssipsec::api
