// SPDX-License-Identifier: MIT
// Sockets of PF_SHIM: TCP that is under IPsec or is not there. Made, bound, accepted, and their names; connecting is in shim_connect.cc.
#include <fcntl.h>
#include <ipsec/shim.h>

#include "client/broker.h"
#include "client/connect.h"
#include "client/libc.h"
#include "base/unique_fd.h"
#include "ipsecapi/boundary.h"
#include "ipsecapi/facts.h"
#include "ipsecapi/look.h"
#include "ipsecapi/shim_connect.h"
#include "ipsecapi/shim_end.h"
#include "ipsecapi/shim_sockets.h"
#include "ipsecapi/socket_address.h"

namespace gssipsec::api {
namespace {

using base::Code;
using client::libc;

constexpr int kTypeFlags = SOCK_NONBLOCK | SOCK_CLOEXEC;

// SNA 3.1: how a program finds out.
int broker_answers() {
  const auto broker = client::Broker::probe({});
  return broker.ok() ? 0 : fail(broker.error(), EAFNOSUPPORT);
}

// Of both families; a host without IPv6 has one.
int new_socket(int type) {
  base::UniqueFd fd(libc().socket(AF_INET6, type, IPPROTO_TCP));
  const int both = 0;
  if (fd && libc().setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &both, sizeof both) != 0) fd.reset();
  if (!fd) fd = base::UniqueFd(libc().socket(AF_INET, type, IPPROTO_TCP));
  if (!fd) return system_failure("socket");
  const auto cookie = client::socket_cookie(fd.get());
  if (!cookie) return system_failure("SO_COOKIE");
  remember(*cookie, {SHIM_ED_ANY});
  return fd.release();
}

Peers peers_of(std::uint32_t wildcard) noexcept {
  return wildcard == SHIM_ED_ANY ? Peers::any : wildcard == SHIM_ED_ANY_PUB ? Peers::proven : Peers::unproven;
}

int bind_at(int fd, const channel::Address& address, std::uint16_t port) {
  sockaddr_storage where{};
  const socklen_t length = socket_address(address, port, domain_of(fd), where);
  if (length == 0) return fail(base::fail(Code::BAD_ARGUMENT, "this host has no IPv6"), EADDRNOTAVAIL);
  return libc().bind(fd, reinterpret_cast<const sockaddr*>(&where), length) == 0 ? 0 : system_failure("bind");
}

int bind_to(int fd, const EndName& end) {
  Known known;
  if (known_socket(fd, known) != 0) return -1;
  ShimSocket& socket = known.socket;
  const channel::Family all = domain_of(fd) == AF_INET ? channel::Family::ipv4 : channel::Family::ipv6;
  channel::Address address{all, {}};
  if (is_wildcard(end.value)) {
    socket.peers = peers_of(end.value);
  } else {
    protocol::Endpoint own;
    if (resolve_end(end.value, true, own) != 0) return -1;
    if (!own.addresses.empty()) address = own.addresses.front();
    socket.local = own.identity;
    socket.peers = own.proven ? Peers::proven : Peers::any;
  }
  if (bind_at(fd, address, end.port) != 0) return -1;
  socket.bound = end.value;
  return remember(known.cookie, std::move(socket)), 0;
}

base::Status as_bound(const ShimSocket& socket, const protocol::Report& report) {
  if (!report.since_start) return base::fail(Code::STARTED_IN_CLEAR);
  if (socket.peers == Peers::proven && !report.peer_authenticated) return base::fail(Code::PEER_UNAUTHENTICATED);
  if (socket.peers == Peers::unproven && report.peer_authenticated)
    return base::fail(Code::WRONG_PEER, "wanted one whom IKE did not prove, found " + report.peer_id);
  return met_as_bound(socket, report);
}

// Latched first: what is seen afterwards cannot change any more.
int admit(int fd, const ShimSocket& listener, EndName* peer) {
  ipsec_latch_t latch = nullptr;
  if (ipsec_create_connection_latch(fd, nullptr, nullptr, &latch) != 0) return -1;
  ipsec_free_latch(latch);
  const auto report = look_at(fd);
  if (!report) return fail(report.error());
  const base::Status status = as_bound(listener, *report);
  if (!status.ok()) return fail(status.error());
  if (peer && peer_end(*report, *peer) != 0) return -1;
  const auto cookie = client::socket_cookie(fd);
  if (!cookie) return fail(base::fail(Code::SOCKET_CHANGED));
  return remember(*cookie, listener), 0;
}

// Until it is let in, no program that another thread starts gets a copy; where fork() made one, shutting reaches it.
int accept_on(int fd, sockaddr* address, socklen_t* length, int flags) {
  Known known;
  if (known_socket(fd, known) != 0) return -1;
  base::UniqueFd accepted(libc().accept4(fd, nullptr, nullptr, flags | SOCK_CLOEXEC));
  if (!accepted) return system_failure("accept4");
  EndName peer;
  if (admit(accepted.get(), known.socket, address ? &peer : nullptr) != 0) return shut(accepted.get()), errno = ECONNABORTED, -1;
  if (!(flags & SOCK_CLOEXEC) && fcntl(accepted.get(), F_SETFD, 0) != 0) return system_failure("fcntl");
  if (address && write_end(peer, address, length) != 0) return -1;
  return accepted.release();
}

int own_name(int fd, sockaddr* address, socklen_t* length) {
  Known known;
  if (known_socket(fd, known) != 0) return -1;
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (libc().getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) != 0) return system_failure("getsockname");
  const auto end = end_of(reinterpret_cast<const sockaddr*>(&name), size);
  return end.ok() ? write_end({known.socket.bound, end->port}, address, length) : fail(end.error());
}

int peer_name(int fd, sockaddr* address, socklen_t* length) {
  Known known;
  EndName peer;
  if (known_socket(fd, known) != 0 || settle_first(fd, known) != 0) return -1;
  const auto report = look_at(fd);
  if (!report) return fail(report.error());
  return peer_end(*report, peer) == 0 ? write_end(peer, address, length) : -1;
}

}  // namespace

int peer_end(const protocol::Report& report, EndName& out) {
  if (!secured(report)) return fail(why_not(report), EACCES);
  const Identity peer = peer_of(report);
  protocol::Endpoint endpoint{false, peer.proven, peer.proven ? format(peer.id) : std::string(), {report.flow.remote}};
  const auto value = client::Broker::endpoint({std::move(endpoint), protocol::Reuse::user});
  if (!value) return fail(value.error());
  return out = {*value, report.flow.remote_port}, 0;
}

int domain_of(int fd) noexcept {
  int domain = -1;
  socklen_t size = sizeof domain;
  return libc().getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 ? domain : -1;
}

}  // namespace gssipsec::api

using namespace gssipsec;
using namespace gssipsec::api;

#pragma GCC visibility push(default)

int shim_socket(int domain, int type, int protocol) {
  if (domain != PF_SHIM) return libc().socket(domain, type, protocol);
  return guarded([&] {
    if ((type & ~kTypeFlags) != SOCK_STREAM) return fail(base::fail(Code::UNSUPPORTED_SOCKET, "wanted SOCK_STREAM"), ESOCKTNOSUPPORT);
    if (protocol != 0 && protocol != IPPROTO_TCP) return fail(base::fail(Code::UNSUPPORTED_SOCKET, "wanted IPPROTO_TCP"), EPROTONOSUPPORT);
    return broker_answers() == 0 ? new_socket(type) : -1;
  });
}

int shim_bind(int fd, const sockaddr* address, socklen_t length) {
  return guarded([&] {
    EndName end;
    return read_end(address, length, end) == 0 ? bind_to(fd, end) : -1;
  });
}

int shim_accept4(int fd, sockaddr* address, socklen_t* length, int flags) {
  if (address && !length) return bad_argument("wanted the length of the room for an address");
  return guarded([&] { return accept_on(fd, address, length, flags); });
}

int shim_accept(int fd, sockaddr* address, socklen_t* length) { return shim_accept4(fd, address, length, 0); }

int shim_getsockname(int fd, sockaddr* address, socklen_t* length) {
  return guarded([&] { return own_name(fd, address, length); });
}

int shim_getpeername(int fd, sockaddr* address, socklen_t* length) {
  if (!address || !length) return bad_argument("wanted room for an address, and its length");
  return guarded([&] { return peer_name(fd, address, length); });
}

#pragma GCC visibility pop
