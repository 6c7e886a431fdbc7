// SPDX-License-Identifier: MIT
// Which socket a context is about (design/socket.md rules 1 and 2), found without privilege and without blocking.
// Threads: any. The thread's named socket lives in a thread-local integer.
#pragma once

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <optional>

#include "base/result.h"
#include "protocol/messages.h"

namespace gssipsec::client {

struct FoundSocket {
  int fd = -1;                 // the caller's; not owned
  std::uint64_t cookie = 0;    // SO_COOKIE when it was found
  protocol::Found found = protocol::Found::named;
};

// Rule 1 for this thread; -1 takes it back.
void name_thread_socket(int fd) noexcept;
[[nodiscard]] int thread_socket() noexcept;

// Rule 1 with an explicit descriptor: an error, not a reason to look for another one.
[[nodiscard]] base::Result<FoundSocket> named_socket(int fd);
// Rule 1's thread default, else rule 2: exactly one connected TCP or SCTP socket that is not loopback, owned by the
// caller's real and effective uid (acceptors: or root), never descriptors 0-2 in an AT_SECURE process. NO_SOCKET otherwise.
[[nodiscard]] base::Result<FoundSocket> find_socket(bool acceptor);
// SOCKET_CHANGED when the descriptor now names another socket.
[[nodiscard]] base::Status same_socket(const FoundSocket& socket);

// Both addresses of a connection, to be compared with later ones: a socket that is connected elsewhere keeps its cookie.
using Endpoints = std::array<std::byte, 2 * sizeof(sockaddr_in6)>;
[[nodiscard]] base::Result<Endpoints> endpoints_of(int fd);  // NOT_CONNECTED

}  // namespace gssipsec::client
