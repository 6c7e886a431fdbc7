// SPDX-License-Identifier: MIT
// Ends of connections as they lie in a struct sockaddr, and back. Pure.
#pragma once

#include <sys/socket.h>

#include "base/result.h"
#include "channel/address.h"

namespace gssipsec::api {

struct End {
  channel::Address address;  // that is on the wire
  std::uint16_t port = 0;
};
// BAD_ARGUMENT: of another family, or cut.
[[nodiscard]] base::Result<End> end_of(const sockaddr* address, socklen_t length);
// For a socket of `domain`: AF_INET6 takes IPv4, too. 0: not for this socket.
[[nodiscard]] socklen_t socket_address(const channel::Address& address, std::uint16_t port, int domain, sockaddr_storage& out) noexcept;
// In the form that is for its own family.
socklen_t socket_address(const channel::Address& address, std::uint16_t port, sockaddr_storage& out) noexcept;

}  // namespace gssipsec::api
