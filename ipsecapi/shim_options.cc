// SPDX-License-Identifier: MIT
// Options of SOL_SHIM: read-outs of what there is, EOPNOTSUPP for what IPsec has not.
#include <ipsec/shim.h>

#include <cstring>
#include <span>
#include <vector>

#include "client/broker.h"
#include "client/libc.h"
#include "client/sockets.h"
#include "ipsecapi/boundary.h"
#include "ipsecapi/look.h"
#include "ipsecapi/shim_connect.h"
#include "ipsecapi/socket_address.h"

namespace gssipsec::api {
namespace {

using base::Code;
using channel::Family;
using protocol::Locators;

bool is_option(int name) noexcept {
  return (name >= SO_SHIM_CHALLENGE_SIZE && name <= SO_SHIM_NAT_TRAVERSAL) || (name >= SHIM_ASSOCIATED && name <= SHIM_IF_SEND) || name == SHIM_SECURITY;
}

int not_there(int name) {
  if (!is_option(name)) return fail(base::fail(Code::BAD_ARGUMENT, "wanted an option of SOL_SHIM"), ENOPROTOOPT);
  return fail(base::fail(Code::UNAVAILABLE, "nothing is behind option " + std::to_string(name)), EOPNOTSUPP);
}

// Pure octets; what has no room is not given by halves.
template <typename T>
int give(std::span<const T> values, void* value, socklen_t* length) noexcept {
  const auto size = static_cast<socklen_t>(values.size_bytes());
  const bool fits = *length >= size;
  *length = size;
  if (!fits) return too_short(size);
  return memcpy(value, values.data(), size), 0;
}

int give_number(int number, void* value, socklen_t* length) noexcept { return give(std::span<const int>(&number, 1), value, length); }

shim_locator locator_of(const channel::Address& address, std::uint16_t port) noexcept {
  sockaddr_storage octets{};
  (void)socket_address(address, port, AF_INET6, octets);
  shim_locator out{};
  out.lc_family = address.family == Family::ipv4 ? AF_INET : AF_INET6;
  out.lc_proto = port != 0 ? IPPROTO_UDP : IPPROTO_ESP;
  out.lc_port = htons(port);
  out.lc_addr = reinterpret_cast<const sockaddr_in6&>(octets).sin6_addr;
  return out;
}

int read_locators(int fd, std::vector<Locators>& out) {
  auto reply = client::Broker::locators(fd);
  const bool clear = !reply && static_cast<unsigned>(reply.error().code) < 100 && errno_of(reply.error().code) == EACCES;
  if (!reply) return clear ? fail(reply.error(), ENOSHIMCONTEXT) : fail(reply.error());
  if (reply->pairs.empty()) return fail(base::fail(Code::NO_SA), ENOSHIMCONTEXT);
  return out = std::move(reply->pairs), 0;
}

int get_locators(int fd, int name, void* value, socklen_t* length) {
  std::vector<Locators> pairs;
  if (read_locators(fd, pairs) != 0) return -1;
  const bool local = name == SHIM_LOC_LOCAL_PREF || name == SHIM_LOCLIST_LOCAL;
  if (name == SHIM_LOC_LOCAL_PREF || name == SHIM_LOC_PEER_PREF) pairs.resize(1);
  std::vector<shim_locator> found;
  for (const Locators& pair : pairs) found.push_back(local ? locator_of(pair.local, pair.local_port) : locator_of(pair.peer, pair.peer_port));
  return give(std::span<const shim_locator>(found), value, length);
}

int get_of_locators(int fd, int name, void* value, socklen_t* length) {
  std::vector<Locators> pairs;
  if (read_locators(fd, pairs) != 0) return -1;
  const Locators& now = pairs.front();
  if (name == SO_SHIM_NAT_TRAVERSAL) return give_number(now.peer_port != 0 ? 1 : 0, value, length);
  return give_number(now.peer.family == Family::ipv4 ? AF_INET : AF_INET6, value, length);
}

int get_associated(int fd, void* value, socklen_t* length) {
  const auto report = look_at(fd);
  if (!report) return fail(report.error());
  return give_number(report->latch == protocol::LatchState::established ? 1 : 0, value, length);
}

int get_security(int fd, void* value, socklen_t* length) {
  ipsec_security_info info{};
  info.size = sizeof info;
  return ipsec_query(fd, &info) == 0 ? give(std::span<const ipsec_security_info>(&info, 1), value, length) : -1;
}

// Of any socket.
int settle_ours(int fd) {
  Known known;
  if (!is_known(fd)) return 0;
  return known_socket(fd, known) == 0 ? settle_first(fd, known) : -1;
}

int get_shim(int fd, int name, void* value, socklen_t* length) {
  if (settle_ours(fd) != 0) return -1;
  switch (name) {
    case SO_SHIM_AF_FAMILY:
    case SO_SHIM_NAT_TRAVERSAL: return get_of_locators(fd, name, value, length);
    case SHIM_ASSOCIATED: return get_associated(fd, value, length);
    case SHIM_LOC_LOCAL_PREF:
    case SHIM_LOC_PEER_PREF:
    case SHIM_LOCLIST_LOCAL:
    case SHIM_LOCLIST_PEER: return get_locators(fd, name, value, length);
    case SHIM_SECURITY: return get_security(fd, value, length);
    default: return not_there(name);
  }
}

// What poll(2) announced: the connection, or why there is none.
int get_error(int fd, void* value, socklen_t* length) {
  Known known;
  if (known_socket(fd, known) != 0) return -1;
  if (!known.socket.pending && !known.socket.hung_up) return client::libc().getsockopt(fd, SOL_SOCKET, SO_ERROR, value, length);
  if (settle(fd, known) == 0 || errno == EALREADY) return give_number(0, value, length);
  return give_number(errno, value, length);
}

}  // namespace
}  // namespace gssipsec::api

using namespace gssipsec;
using namespace gssipsec::api;

#pragma GCC visibility push(default)

int shim_getsockopt(int fd, int level, int name, void* value, socklen_t* length) {
  const bool ours = level == SOL_SHIM || (level == SOL_SOCKET && (name == SO_ERROR || name == SO_DOMAIN) && is_known(fd));
  if (!ours) return client::libc().getsockopt(fd, level, name, value, length);
  if (!value || !length) return bad_argument("wanted room for a value, and its length");
  return guarded([&] {
    if (level == SOL_SHIM) return get_shim(fd, name, value, length);
    return name == SO_ERROR ? get_error(fd, value, length) : give_number(PF_SHIM, value, length);
  });
}

int shim_setsockopt(int fd, int level, int name, const void* value, socklen_t length) {
  if (level != SOL_SHIM) return client::libc().setsockopt(fd, level, name, value, length);
  return guarded([&] { return not_there(name); });
}

#pragma GCC visibility pop
