// SPDX-License-Identifier: MIT
// Which socket a context is about, found without privilege and without blocking: the program names it, there is only one, or the
// preload has seen which one it is (preloaded.h).
// Threads: any. The thread's named socket is thread-local, without constructor.
#pragma once

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <optional>
#include <set>

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

// The cookie of an IPv4 or IPv6 socket; NOT_A_SOCKET.
[[nodiscard]] base::Result<std::uint64_t> internet_socket(int fd);
// Rule 1 with an explicit descriptor: an error, not a reason to look for another one.
[[nodiscard]] base::Result<FoundSocket> named_socket(int fd);
// The thread's named one, else the only one, else what the preload says; an acceptor's `token` is what it was given. None but a named
// one in an AT_SECURE process. NO_SOCKET otherwise.
[[nodiscard]] base::Result<FoundSocket> find_socket(bool acceptor, base::View token = {});
// May be found without being named: a connected TCP or SCTP socket that is not loopback, owned by the caller's real and effective
// uid (acceptors: or root).
[[nodiscard]] bool may_be_found(int fd, bool acceptor) noexcept;
[[nodiscard]] bool is_mptcp(int fd) noexcept;
// The connection with this cookie, whatever its number is here: the thread's named one, else any. In an AT_SECURE process the named
// one alone. SOCKET_CHANGED when this process does not hold it.
[[nodiscard]] base::Result<FoundSocket> socket_with(std::uint64_t cookie);
// Cookies of all sockets that this process holds.
[[nodiscard]] base::Result<std::set<std::uint64_t>> cookies_held();
// SOCKET_CHANGED when the descriptor now names another socket.
[[nodiscard]] base::Status same_socket(const FoundSocket& socket);

// Both addresses of a connection, to be compared with later ones: a socket that is connected elsewhere keeps its cookie.
using Endpoints = std::array<std::byte, 2 * sizeof(sockaddr_in6)>;
[[nodiscard]] base::Result<Endpoints> endpoints_of(int fd);  // NOT_CONNECTED

}  // namespace gssipsec::client
