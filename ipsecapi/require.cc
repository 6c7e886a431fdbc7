// SPDX-License-Identifier: MIT
// Protection before there is a connection: what leaves the socket leaves it under IPsec, or not at all.
#include "ipsecapi/require.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/time.h>

#include <chrono>

#include "client/broker.h"
#include "client/libc.h"
#include "client/sockets.h"
#include "ipsecapi/boundary.h"
#include "ipsecapi/latch.h"
#include "ipsecapi/socket_address.h"
#include "ipsecapi/wanted.h"

namespace gssipsec::api {
namespace {

using base::Code;
using std::chrono::microseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr auto kPatience = seconds(30);
constexpr int kAgainMs = 50;

int require(int fd, const sockaddr* to, socklen_t length, const Protection* protection) {
  const auto wanted = wanted_of(protection);
  if (!wanted) return fail(wanted.error());
  const auto end = end_of(to, length);
  if (!end) return fail(end.error());
  const auto cookie = client::internet_socket(fd);  // nothing else of the program's is passed to the broker
  if (!cookie) return fail(cookie.error());
  protocol::RequireRequest request = request_of(*wanted);
  request.peer = end->address;
  request.port = end->port;
  const auto reply = client::Broker::require(fd, request);
  return reply.ok() ? 0 : fail(reply.error());
}

// As long as connect(2) would wait.
Clock::duration patience(int fd) noexcept {
  timeval limit{};
  socklen_t size = sizeof limit;
  if (client::libc().getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &size) != 0 || (limit.tv_sec == 0 && limit.tv_usec == 0)) return kPatience;
  return seconds(limit.tv_sec) + microseconds(limit.tv_usec);
}

// A connection has nothing to be read before it is one. Datagrams may have come to a bound socket before it was required to have a policy.
Past past_of(int fd) noexcept {
  int type = 0;
  socklen_t size = sizeof type;
  return client::libc().getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM ? Past::required : Past::to_be_shown;
}

bool waits(int fd) noexcept { return (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0; }

}  // namespace

// While IKE negotiates, the kernel answers EAGAIN to a socket that has a policy of its own.
int connect_required(int fd, const sockaddr* to, socklen_t length) {
  const auto until = Clock::now() + patience(fd);
  while (client::libc().connect(fd, to, length) != 0) {
    if (errno != EAGAIN) return system_failure("connect");
    if (!waits(fd)) return fail(base::fail(Code::NO_SA, "IKE negotiates; connect again"), EAGAIN);
    if (Clock::now() >= until) return fail(base::fail(Code::NO_SA, "IKE came to nothing in time, and nothing was sent"), ETIMEDOUT);
    poll(nullptr, 0, kAgainMs);
  }
  return 0;
}

}  // namespace gssipsec::api

using namespace gssipsec;
using namespace gssipsec::api;

#pragma GCC visibility push(default)

int ipsec_require(int fd, const sockaddr* to, socklen_t length, const ipsec_pToken_t wanted) {
  const Protection* protection = protection_of(wanted);
  if (!to || length < sizeof(sa_family_t) || (wanted && !protection)) return bad_argument("wanted an address, and a template or null");
  return guarded([&] { return require(fd, to, length, protection); });
}

int ipsec_cbinding(int fd, const sockaddr* to, socklen_t length) { return ipsec_require(fd, to, length, nullptr); }

int ipsec_connect(int fd, const sockaddr* to, socklen_t length, const ipsec_pToken_t wanted, const ipsec_iToken_t peer, ipsec_latch_t* latch) {
  if (!latch || (peer && !identity_of(peer))) return bad_argument("wanted an identity or null, and a place for the latch");
  if (ipsec_require(fd, to, length, wanted) != 0) return -1;
  const int connected = guarded([&] { return connect_required(fd, to, length); });
  return connected == 0 ? create_connection_latch(fd, wanted, peer, past_of(fd), latch) : -1;
}

#pragma GCC visibility pop
