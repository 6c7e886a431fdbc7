// SPDX-License-Identifier: MIT
// Loopback sockets for tests.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <stdexcept>

#include "base/unique_fd.h"

namespace gssipsec::kernel::testing {

struct Pair {
  base::UniqueFd listener, client, server;
};

inline base::UniqueFd make_socket(int domain, int type, int protocol = 0) {
  base::UniqueFd fd(::socket(domain, type | SOCK_CLOEXEC, protocol));
  if (!fd) throw std::runtime_error("socket");
  return fd;
}

inline sockaddr_in6 name_of(int fd) {
  sockaddr_in6 name{};
  socklen_t length = sizeof name;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &length) != 0) throw std::runtime_error("getsockname");
  return name;
}

// 127.0.0.1, ::1 or ::ffff:127.0.0.1, any port.
inline sockaddr_in6 loopback(int domain, bool mapped = false) {
  sockaddr_in6 name{};
  if (domain == AF_INET) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    __builtin_memcpy(&name, &v4, sizeof v4);
    return name;
  }
  name.sin6_family = AF_INET6;
  ::inet_pton(AF_INET6, mapped ? "::ffff:127.0.0.1" : "::1", &name.sin6_addr);
  return name;
}

inline bool bind_and_listen(int fd, const sockaddr_in6& name) {
  const socklen_t length = name.sin6_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  return ::bind(fd, reinterpret_cast<const sockaddr*>(&name), length) == 0 && ::listen(fd, 5) == 0;
}

inline bool connect_to(int fd, const sockaddr_in6& name) {
  const socklen_t length = name.sin6_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  return ::connect(fd, reinterpret_cast<const sockaddr*>(&name), length) == 0;
}

inline Pair tcp_pair(int domain, bool mapped = false, int protocol = 0) {
  Pair pair{make_socket(domain, SOCK_STREAM, protocol), make_socket(domain, SOCK_STREAM, protocol), {}};
  if (!bind_and_listen(pair.listener.get(), loopback(domain, mapped)) || !connect_to(pair.client.get(), name_of(pair.listener.get())))
    throw std::runtime_error("loopback connection");
  pair.server.reset(::accept4(pair.listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  return pair;
}

}  // namespace gssipsec::kernel::testing
