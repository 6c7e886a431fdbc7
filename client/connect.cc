// SPDX-License-Identifier: MIT
#include "client/connect.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "client/libc.h"

#ifndef GSS_IPSEC_BROKER_PATH
#define GSS_IPSEC_BROKER_PATH "/run/ipsec-gss/gssd.sock"
#endif

namespace gssipsec::client {
namespace {

using base::Code;

constexpr uid_t kBrokerUid = 0;

// Not 0 to 2: a program that closed its standard error would print into our connection.
base::UniqueFd new_socket() noexcept {
  base::UniqueFd fd(libc().socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd || fd.get() > STDERR_FILENO) return fd;
  return base::UniqueFd(fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

base::Error unreachable(const std::string& path, int number) {
  base::Error error = base::system_error(Code::NO_BROKER, path.c_str(), number);
  if (number == EPROTOTYPE) error.detail += " (another kind of socket)";
  return error;
}

base::Status check_listener(int fd, const std::string& path) {
  ucred listener{};
  socklen_t size = sizeof listener;
  if (libc().getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &listener, &size) != 0) return base::system_error(Code::FALSE_BROKER, "SO_PEERCRED", errno);
  if (listener.uid == kBrokerUid) return {};
  return base::fail(Code::FALSE_BROKER, "wanted root to listen on " + path + ", found uid " + std::to_string(listener.uid));
}

// EAGAIN: the listener's queue is full, which poll(2) cannot wait for.
base::Status connect_in_time(int fd, const sockaddr_un& address, const std::string& path, const Deadline& deadline) {
  while (libc().connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno != EAGAIN && errno != EINTR) return unreachable(path, errno);
    if (!deadline.pause()) return base::fail(Code::BROKER_TIMEOUT, "its queue of new connections stays full");
  }
  return {};
}

}  // namespace

std::string broker_path() {
  const char* path = secure_getenv("GSS_IPSEC_BROKER");
  return path && *path == '/' ? path : GSS_IPSEC_BROKER_PATH;
}

base::Status broker_was_started() {
  const std::string path = broker_path();
  return access(path.c_str(), F_OK) == 0 ? base::Status() : unreachable(path, errno);
}

base::Result<base::UniqueFd> connect_to_broker(const std::string& path, const Deadline& deadline) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return unreachable(path, ENAMETOOLONG);
  memcpy(address.sun_path, path.c_str(), path.size());
  base::UniqueFd fd = new_socket();
  if (!fd) return base::system_error(Code::NO_BROKER, "socket", errno);
  if (const base::Status connected = connect_in_time(fd.get(), address, path, deadline); !connected) return connected.error();
  if (const base::Status genuine = check_listener(fd.get(), path); !genuine) return genuine.error();
  return fd;
}

std::uint64_t identity_of(const std::string& path) noexcept {
  struct stat facts{};
  if (stat(path.c_str(), &facts) != 0) return 0;
  const auto born = static_cast<std::uint64_t>(facts.st_ctim.tv_sec) * 1000000000u + static_cast<std::uint64_t>(facts.st_ctim.tv_nsec);
  return (static_cast<std::uint64_t>(facts.st_dev) << 40 ^ static_cast<std::uint64_t>(facts.st_ino)) * 0x9e3779b97f4a7c15u ^ born;
}

std::optional<std::uint64_t> socket_cookie(int fd) noexcept {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  if (fd < 0 || libc().getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) != 0) return std::nullopt;
  return cookie;
}

}  // namespace gssipsec::client
