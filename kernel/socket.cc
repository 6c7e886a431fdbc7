// SPDX-License-Identifier: MIT
// Facts of a client's socket. The order of the questions matters: what cannot block comes first.
#include "kernel/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cstring>
#include <optional>

#include "base/unique_fd.h"
#include "kernel/xfrm_wire.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif
#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif

namespace gssipsec::kernel {

namespace {

using base::Code;
using base::Status;

template <typename T>
base::Result<T> option(int fd, int level, int name, const char* text) {
  T value{};
  socklen_t length = sizeof value;
  if (::getsockopt(fd, level, name, &value, &length) != 0) return base::system_error(Code::SYSTEM, text, errno);
  if (length != sizeof value) return base::fail(Code::SYSTEM, std::string(text) + ": wrong length");
  return value;
}

template <typename T>
Status read_option(int fd, int name, const char* text, T& value) {
  auto got = option<T>(fd, SOL_SOCKET, name, text);
  if (!got) return got.error();
  value = *got;
  return {};
}

struct Kind {
  int domain = 0, type = 0, protocol = 0;
};

// By value: MPTCP is 262 (6 when cut to an octet), SMC is a domain of its own and protocol 256 in younger kernels.
bool supported(const Kind& kind) noexcept {
  if (kind.domain != AF_INET && kind.domain != AF_INET6) return false;
  if (kind.type == SOCK_STREAM) return kind.protocol == IPPROTO_TCP || kind.protocol == IPPROTO_SCTP;
  return kind.type == SOCK_DGRAM && kind.protocol == IPPROTO_UDP;
}

base::Result<Kind> read_kind(int fd) {
  Kind kind;
  if (Status ok = read_option(fd, SO_DOMAIN, "SO_DOMAIN", kind.domain); !ok) return ok.error();
  if (Status ok = read_option(fd, SO_TYPE, "SO_TYPE", kind.type); !ok) return ok.error();
  if (Status ok = read_option(fd, SO_PROTOCOL, "SO_PROTOCOL", kind.protocol); !ok) return ok.error();
  if (supported(kind)) return kind;
  return base::fail(Code::UNSUPPORTED_SOCKET, "wanted TCP, SCTP one-to-one or connected UDP over IPv4 or IPv6, found domain " + std::to_string(kind.domain) +
                                                  ", type " + std::to_string(kind.type) + ", protocol " + std::to_string(kind.protocol));
}

base::Result<std::uint32_t> read_owner(int fd) {
  struct stat facts {};
  if (::fstat(fd, &facts) != 0) return base::system_error(Code::NOT_A_SOCKET, "fstat", errno);
  if (!S_ISSOCK(facts.st_mode)) return base::fail(Code::NOT_A_SOCKET, "wanted a socket, found another kind of file");
  return static_cast<std::uint32_t>(facts.st_uid);
}

Status check_namespace(int fd, std::uint64_t own) {
  auto cookie = option<std::uint64_t>(fd, SOL_SOCKET, SO_NETNS_COOKIE, "SO_NETNS_COOKIE");
  if (!cookie) return base::fail(Code::OTHER_NAMESPACE, "the kernel does not tell the socket's namespace");
  if (*cookie != own) return base::fail(Code::OTHER_NAMESPACE, "pass it to the broker of that namespace");
  return {};
}

struct End {
  channel::Address address;
  std::uint16_t port = 0;
  std::uint32_t scope = 0;
};

std::optional<End> end_of(const sockaddr_storage& storage) noexcept {
  End end;
  if (storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    end.address.family = channel::Family::ipv4;
    std::memcpy(end.address.octets.data(), &v4.sin_addr, sizeof v4.sin_addr);
    end.port = ntohs(v4.sin_port);
  } else if (storage.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    end.address.family = channel::Family::ipv6;
    std::memcpy(end.address.octets.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
    end.port = ntohs(v6.sin6_port);
    end.scope = v6.sin6_scope_id;
  } else {
    return std::nullopt;
  }
  end.address = end.address.unmapped();  // what is really on the wire
  return end;
}

using AddressCall = int (*)(int, sockaddr*, socklen_t*) noexcept;

// The errno of a refusal, or the address.
base::Result<End> read_end(AddressCall call, const char* text, int fd, Code refusal) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (call(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return base::system_error(refusal, text, errno);
  const std::optional<End> end = end_of(storage);
  if (!end) return base::fail(Code::UNSUPPORTED_SOCKET, std::string(text) + " names no internet address");
  return *end;
}

Status read_peer(int fd, SocketFacts& facts) {
  auto peer = read_end(&::getpeername, "getpeername", fd, Code::NOT_CONNECTED);
  facts.listening = !peer && peer.error().code == Code::NOT_CONNECTED && facts.flow.protocol == IPPROTO_UDP;
  if (facts.listening) return {};
  if (!peer) return peer.error();
  if (peer->address.family != facts.flow.local.family)
    return base::fail(Code::UNSUPPORTED_SOCKET, "local and remote address are of two families");
  facts.flow.remote = peer->address;
  facts.flow.remote_port = peer->port;
  if (facts.input_ifindex == 0) facts.input_ifindex = peer->scope;
  return {};
}

Status read_addresses(int fd, SocketFacts& facts) {
  auto own = read_end(&::getsockname, "getsockname", fd, Code::SYSTEM);
  if (!own) return own.error();
  facts.flow.local = own->address;
  facts.flow.local_port = own->port;
  if (!facts.listening)
    if (Status ok = read_peer(fd, facts); !ok) return ok;
  if (!facts.listening || !facts.flow.on_ipv6_socket) return {};
  auto only = option<int>(fd, IPPROTO_IPV6, IPV6_V6ONLY, "IPV6_V6ONLY");
  if (!only) return only.error();
  facts.v6only = *only != 0;
  return {};
}

// None of these takes the socket's lock, which its owner may hold as long as he likes.
Status read_unblocked(int fd, SocketFacts& facts) {
  int listening = 0, ifindex = 0;
  if (Status ok = read_option(fd, SO_COOKIE, "SO_COOKIE", facts.cookie); !ok) return ok;
  if (Status ok = read_option(fd, SO_MARK, "SO_MARK", facts.flow.mark); !ok) return ok;
  if (Status ok = read_option(fd, SO_BINDTOIFINDEX, "SO_BINDTOIFINDEX", ifindex); !ok) return ok;
  if (Status ok = read_option(fd, SO_ACCEPTCONN, "SO_ACCEPTCONN", listening); !ok) return ok;
  facts.input_ifindex = facts.flow.output_ifindex = static_cast<std::uint32_t>(ifindex);  // the route's device may be another one of a VRF
  facts.listening = listening != 0;
  return {};
}

// All but its addresses.
Status read_self(int fd, std::uint64_t own_netns, SocketFacts& facts) {
  auto owner = read_owner(fd);
  if (!owner) return owner.error();
  facts.owner_uid = *owner;
  auto kind = read_kind(fd);
  if (!kind) return kind.error();
  facts.flow.protocol = static_cast<std::uint16_t>(kind->protocol);
  facts.flow.on_ipv6_socket = kind->domain == AF_INET6;
  if (Status ok = check_namespace(fd, own_netns); !ok) return ok;
  return read_unblocked(fd, facts);
}

// A TCP socket whose SYN is under way has no peer yet either, for getpeername().
Status asked_for_no_peer(int fd, const SocketFacts& facts) {
  sockaddr_storage peer{};
  socklen_t length = sizeof peer;
  bool is_new = !facts.listening && ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) != 0 && errno == ENOTCONN;
  if (is_new && facts.flow.protocol == IPPROTO_TCP) {
    tcp_info info{};
    length = sizeof info;
    if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return base::system_error(Code::SYSTEM, "TCP_INFO", errno);
    is_new = info.tcpi_state == TCP_CLOSE;
  }
  return is_new ? Status() : base::fail(Code::ALREADY_CONNECTED, "wanted a socket before connect(2)");
}

}  // namespace

base::Result<SocketFacts> read_socket(int fd, std::uint64_t own_netns) {
  SocketFacts facts;
  if (Status ok = read_self(fd, own_netns, facts); !ok) return ok.error();
  if (Status ok = read_addresses(fd, facts); !ok) return ok.error();
  return facts;
}

base::Result<SocketFacts> read_new_socket(int fd, std::uint64_t own_netns) {
  SocketFacts facts;
  if (Status ok = read_self(fd, own_netns, facts); !ok) return ok.error();
  if (Status ok = asked_for_no_peer(fd, facts); !ok) return ok.error();
  auto own = read_end(&::getsockname, "getsockname", fd, Code::SYSTEM);
  if (!own) return own.error();
  facts.flow.local = own->address;
  facts.flow.local_port = own->port;
  return facts;
}

base::Result<std::uint64_t> own_netns_cookie() {
  const base::UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return base::system_error(Code::SYSTEM, "socket", errno);
  return option<std::uint64_t>(fd.get(), SOL_SOCKET, SO_NETNS_COOKIE, "SO_NETNS_COOKIE");
}

}  // namespace gssipsec::kernel
