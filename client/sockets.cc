// SPDX-License-Identifier: MIT
#include "client/sockets.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/directory.h"
#include "client/connect.h"
#include "client/libc.h"
#include "client/preloaded.h"

namespace gssipsec::client {
namespace {

using base::Code;

// A process with more descriptors than this is no command-line client and no forked server's child.
constexpr int kMaxExamined = 4096;
constexpr int kMptcp = 262;

// The cookie, so that the number's next socket is not taken for it.
struct Named {
  int fd;
  std::uint64_t cookie;
};
constinit thread_local Named named = {-1, 0};

int option(int fd, int name) noexcept {
  int value = -1;
  socklen_t size = sizeof value;
  return libc().getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

bool is_internet(int fd) noexcept {
  const int domain = option(fd, SO_DOMAIN);
  return domain == AF_INET || domain == AF_INET6;
}

bool address_of(int fd, bool peer, sockaddr_storage& out) noexcept {
  socklen_t size = sizeof out;
  auto* address = reinterpret_cast<sockaddr*>(&out);
  return (peer ? libc().getpeername : libc().getsockname)(fd, address, &size) == 0;
}

bool is_loopback(const sockaddr_storage& address) noexcept {
  if (address.ss_family == AF_INET)
    return ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
  const in6_addr& six = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&six) || (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == IN_LOOPBACKNET);
}

// Connected, and to somewhere else. A listener has no peer.
bool is_connected_elsewhere(int fd) noexcept {
  sockaddr_storage local{}, remote{};
  return address_of(fd, true, remote) && address_of(fd, false, local) && !is_loopback(remote) && !is_loopback(local);
}

// The creator of the socket: a process of one user that was handed another's socket does not speak for it.
bool is_callers(const struct stat& facts, bool acceptor) noexcept {
  if (facts.st_uid == getuid() && facts.st_uid == geteuid()) return true;
  return acceptor && facts.st_uid == 0;
}

base::Error none(std::string found) { return base::fail(Code::NO_SOCKET, std::move(found)); }

// All descriptors of one socket (inetd gives three) are one candidate; the second candidate ends the search.
class Search {
 public:
  explicit Search(bool acceptor) noexcept : acceptor_(acceptor) {}

  // False when there is nothing more to learn.
  bool examine(int fd) noexcept {
    if (++examined_ > kMaxExamined) return false;
    if (!may_be_found(fd, acceptor_)) return true;
    const auto cookie = socket_cookie(fd);
    if (!cookie || (found_.fd >= 0 && *cookie == found_.cookie)) return true;
    if (found_.fd >= 0) return several_ = true, false;
    found_ = {fd, *cookie, protocol::Found::sole};
    return true;
  }

  [[nodiscard]] base::Result<FoundSocket> result() const {
    if (examined_ > kMaxExamined) return none("more than " + std::to_string(kMaxExamined) + " descriptors; name the socket");
    if (several_) return none("found several connections; name the socket");
    if (found_.fd < 0) return none("found no connection to another host");
    if (is_mptcp(found_.fd)) return none("the only connection is MPTCP");
    return found_;
  }

 private:
  bool acceptor_;
  bool several_ = false;
  int examined_ = 0;
  FoundSocket found_{-1, 0, protocol::Found::sole};
};

int number_of(const dirent& entry) noexcept {
  int number = 0;
  for (const char* c = entry.d_name; *c; ++c) {
    if (*c < '0' || *c > '9' || number > 100000000) return -1;
    number = number * 10 + (*c - '0');
  }
  return number;
}

// Until `examine` says false.
template <typename Examine>
base::Status each_descriptor(Examine&& examine) {
  const base::Directory directory(opendir("/proc/self/fd"));
  if (!directory) return none(std::string("/proc/self/fd: ") + base::system_error(Code::SYSTEM, "opendir", errno).detail);
  while (const dirent* entry = readdir(directory.get())) {
    const int fd = number_of(*entry);
    if (fd >= 0 && fd != dirfd(directory.get()) && !examine(fd)) break;
  }
  return {};
}

base::Result<FoundSocket> sole_socket(bool acceptor) {
  Search search(acceptor);
  const base::Status looked = each_descriptor([&search](int fd) { return search.examine(fd); });
  return looked.ok() ? search.result() : base::Result<FoundSocket>(looked.error());
}

base::Status supported(int fd) {
  const int protocol = option(fd, SO_PROTOCOL), type = option(fd, SO_TYPE);
  const bool stream = type == SOCK_STREAM && (protocol == IPPROTO_TCP || protocol == IPPROTO_SCTP);
  if (stream || (type == SOCK_DGRAM && protocol == IPPROTO_UDP)) return {};
  return base::fail(Code::UNSUPPORTED_SOCKET, "wanted TCP, one-to-one SCTP or connected UDP, found protocol " +
                                                  std::to_string(protocol) + " of type " + std::to_string(type));
}

base::Result<FoundSocket> socket_of_thread() {
  const auto found = named_socket(named.fd);
  if (found.ok() && found->cookie != named.cookie)
    return base::fail(Code::SOCKET_CHANGED, "descriptor " + std::to_string(named.fd) + ", named for this thread, was closed or reused");
  return found;
}

}  // namespace

// MPTCP counts, so that it makes a second connection ambiguous, and is refused when it is the only one.
bool may_be_found(int fd, bool acceptor) noexcept {
  if (!is_internet(fd) || option(fd, SO_TYPE) != SOCK_STREAM) return false;
  struct stat facts{};
  if (fstat(fd, &facts) != 0 || !is_callers(facts, acceptor)) return false;
  const int protocol = option(fd, SO_PROTOCOL);
  return (protocol == IPPROTO_TCP || protocol == IPPROTO_SCTP || protocol == kMptcp) && is_connected_elsewhere(fd);
}

bool is_mptcp(int fd) noexcept { return option(fd, SO_PROTOCOL) == kMptcp; }

void name_thread_socket(int fd) noexcept { named = fd < 0 ? Named{-1, 0} : Named{fd, socket_cookie(fd).value_or(0)}; }

int thread_socket() noexcept { return named.fd; }

base::Result<std::uint64_t> internet_socket(int fd) {
  const auto cookie = is_internet(fd) ? socket_cookie(fd) : std::nullopt;
  if (!cookie) return base::fail(Code::NOT_A_SOCKET, "descriptor " + std::to_string(fd));
  return *cookie;
}

base::Result<FoundSocket> named_socket(int fd) {
  const auto cookie = internet_socket(fd);
  if (!cookie) return cookie.error();
  if (const base::Status kind = supported(fd); !kind) return kind.error();
  sockaddr_storage peer{};
  if (!address_of(fd, true, peer)) return base::fail(Code::NOT_CONNECTED, "descriptor " + std::to_string(fd));
  return FoundSocket{fd, *cookie, protocol::Found::named};
}

// In a setuid program only a named one: a descriptor that the caller slipped in cannot be told from one that the program opened
// itself, and its owner may be the program's user when a daemon of his passed it.
base::Result<FoundSocket> find_socket(bool acceptor, base::View token) {
  if (named.fd >= 0) return socket_of_thread();
  if (getauxval(AT_SECURE) != 0) return none("a program with raised privileges must name its socket");
  const preload::Interface* shown = find_preload();
  const Overlooked searching(shown);
  auto sole = sole_socket(acceptor);
  return sole.ok() || !shown ? std::move(sole) : preloaded_socket(*shown, acceptor, token, thread_is_believed());
}

base::Result<FoundSocket> socket_with(std::uint64_t cookie) {
  const auto is_it = [cookie](int fd) { return fd >= 0 && socket_cookie(fd) == cookie; };
  int found = is_it(named.fd) ? named.fd : -1;
  if (found < 0 && getauxval(AT_SECURE) == 0) {
    const base::Status looked = each_descriptor([&](int fd) { return !is_it(fd) || (found = fd, false); });
    if (!looked) return looked.error();
  }
  if (found < 0) return base::fail(Code::SOCKET_CHANGED, "this process does not hold the connection that the context rests on");
  return named_socket(found);
}

base::Result<std::set<std::uint64_t>> cookies_held() {
  std::set<std::uint64_t> held;
  const base::Status looked = each_descriptor([&held](int fd) {
    if (const auto cookie = socket_cookie(fd)) held.insert(*cookie);
    return true;
  });
  if (!looked) return looked.error();
  return held;
}

base::Status same_socket(const FoundSocket& socket) {
  const auto now = socket_cookie(socket.fd);
  if (now && *now == socket.cookie) return {};
  return base::fail(Code::SOCKET_CHANGED, "descriptor " + std::to_string(socket.fd) + " was closed or reused");
}

base::Result<Endpoints> endpoints_of(int fd) {
  sockaddr_storage local{}, remote{};
  if (!address_of(fd, false, local) || !address_of(fd, true, remote)) return base::fail(Code::NOT_CONNECTED, "descriptor " + std::to_string(fd));
  Endpoints out;
  std::memcpy(out.data(), &local, sizeof(sockaddr_in6));
  std::memcpy(out.data() + sizeof(sockaddr_in6), &remote, sizeof(sockaddr_in6));
  return out;
}

}  // namespace gssipsec::client
