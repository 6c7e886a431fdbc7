// SPDX-License-Identifier: MIT
#include "tests/bench/tcp.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace gssipsec::bench {
namespace {

sockaddr_in second_host(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, kSecondAddress, &address.sin_addr);
  return address;
}

void must(const char* what, int result) {
  if (result < 0) throw std::runtime_error(std::string(what) + ": " + strerror(errno));
}

base::UniqueFd new_socket() {
  base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  must("socket", fd.get());
  return fd;
}

void answer_at_once(int fd) {
  const int on = 1;
  must("TCP_NODELAY", setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
}

}  // namespace

base::UniqueFd listen_at(std::uint16_t port) {
  base::UniqueFd fd = new_socket();
  const sockaddr_in address = second_host(port);
  must("bind", bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address));
  must("listen", listen(fd.get(), 16));
  return fd;
}

base::UniqueFd accept_one(int listener) {
  base::UniqueFd fd(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  must("accept", fd.get());
  answer_at_once(fd.get());
  return fd;
}

base::UniqueFd connect_to(std::uint16_t port) {
  base::UniqueFd fd = new_socket();
  const sockaddr_in address = second_host(port);
  const linger reset{1, 0};
  must("SO_LINGER", setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset));
  must("connect", connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address));
  answer_at_once(fd.get());
  return fd;
}

std::uint16_t port_of(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  must("getsockname", getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size));
  return ntohs(address.sin_port);
}

}  // namespace gssipsec::bench
