// SPDX-License-Identifier: MIT
#include "ipsecapi/shim_connect.h"

#include <netinet/tcp.h>

#include "client/connect.h"
#include "client/libc.h"
#include "ipsecapi/boundary.h"
#include "ipsecapi/facts.h"
#include "ipsecapi/latch.h"
#include "ipsecapi/look.h"
#include "ipsecapi/require.h"
#include "ipsecapi/socket_address.h"
#include "ipsecapi/tokens.h"
#include "preload/errno_kept.h"

namespace gssipsec::api {
namespace {

using base::Code;
using client::libc;

// Of a name in its one form.
Identity wanted_identity(const std::string& name) {
  Identity wanted;
  wanted.wanted = true;
  if (auto id = channel::parse_identity(name)) wanted.id = *std::move(id);
  return wanted;
}

// Who must be there, as ipsec_connect() wants it told.
class WantedPeer {
 public:
  explicit WantedPeer(const protocol::Endpoint& peer) : named_(!peer.identity.empty()) {
    protection_.object.wanted.authenticated = peer.proven;
    identity_.object = wanted_identity(peer.identity);
  }
  [[nodiscard]] ipsec_pToken_t protection() noexcept { return ProtectionHandle::lend(protection_); }
  [[nodiscard]] ipsec_iToken_t identity() noexcept { return named_ ? IdentityHandle::lend(identity_) : nullptr; }

 private:
  bool named_;
  ProtectionHandle protection_;
  IdentityHandle identity_;
};

// TCP_CLOSE where it was never connected, or is no more.
int tcp_state(int fd) noexcept {
  tcp_info info{};
  socklen_t size = sizeof info;
  return libc().getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? int{info.tcpi_state} : int{TCP_CLOSE};
}

bool connects(int state) noexcept { return state == TCP_SYN_SENT || state == TCP_SYN_RECV; }

bool is_under_way(int number) noexcept { return number == EINPROGRESS || number == EALREADY || number == EINTR; }

// Whoever does not look at the result sends nothing to a stranger. No errno that says "call again". What the number names meanwhile is another's.
int hang_up(int fd, Known& known) {
  const int number = errno == EAGAIN || is_under_way(errno) ? ECONNABORTED : errno;
  if (client::socket_cookie(fd) == known.cookie) shut(fd);
  known.socket.pending.reset();
  known.socket.hung_up = true;
  remember(known.cookie, known.socket);
  return errno = number, -1;
}

// Latched before: what is seen afterwards cannot change any more.
int is_met_as_bound(int fd, const ShimSocket& socket) {
  if (socket.local.empty()) return 0;  // nobody need be asked
  const auto report = look_at(fd);
  if (!report) return fail(report.error());
  const base::Status met = met_as_bound(socket, *report);
  return met.ok() ? 0 : fail(met.error());
}

// Of one who is there. Its socket was required to be protected before it was connected, as with ipsec_connect().
int take_up(int fd, Known& known) {
  WantedPeer wanted(known.socket.pending->peer);
  ipsec_latch_t latch = nullptr;
  if (create_connection_latch(fd, wanted.protection(), wanted.identity(), Past::required, &latch) != 0) return hang_up(fd, known);
  (void)ipsec_free_latch(latch);
  if (client::socket_cookie(fd) != known.cookie) return fail(base::fail(Code::SOCKET_CHANGED, "it was closed or reused meanwhile"));
  if (is_met_as_bound(fd, known.socket) != 0) return hang_up(fd, known);
  known.socket.pending.reset();
  return remember(known.cookie, known.socket), 0;
}

// Another address may be tried, or connect(2) be called again.
int not_pending(const Known& known) {
  const int number = errno;
  ShimSocket without = known.socket;
  without.pending.reset();
  remember(known.cookie, std::move(without));
  return errno = number, -1;
}

socklen_t where(int fd, const Pending& pending, sockaddr_storage& out) noexcept {
  return socket_address(pending.at, pending.end.port, domain_of(fd), out);
}

// Pending before it is connected: another thread that waits for the socket must find whom to compare.
int begin(int fd, Known& known, const channel::Address& address) {
  known.socket.pending->at = address;
  sockaddr_storage to{};
  const socklen_t length = where(fd, *known.socket.pending, to);
  if (length == 0) return fail(base::fail(Code::BAD_ARGUMENT, "this host has no IPv6"), EADDRNOTAVAIL);
  WantedPeer wanted(known.socket.pending->peer);
  if (ipsec_require(fd, reinterpret_cast<const sockaddr*>(&to), length, wanted.protection()) != 0) return -1;
  remember(known.cookie, known.socket);
  if (connect_required(fd, reinterpret_cast<const sockaddr*>(&to), length) == 0) return take_up(fd, known);
  return is_under_way(errno) ? -1 : not_pending(known);
}

// The kernel goes on with what was begun, to whatever address it is called; waits, where the socket does; and tells a failure once.
int go_on(int fd, Known& known, const EndName& end) {
  if (!(known.socket.pending->end == end)) return fail(base::fail(Code::ALREADY_CONNECTED, "it was begun with another end; close the socket"), EALREADY);
  sockaddr_storage to{};
  const socklen_t length = where(fd, *known.socket.pending, to);
  const bool there = connect_required(fd, reinterpret_cast<const sockaddr*>(&to), length) == 0 || errno == EISCONN;
  if (there) return take_up(fd, known);
  return is_under_way(errno) ? -1 : not_pending(known);
}

// Or the number names another socket by now.
bool tries_the_next(const Known& known, int number) noexcept {
  return !known.socket.hung_up && number != EAGAIN && number != ESTALE && !is_under_way(number);
}

int refused_before() { return fail(base::fail(Code::ALREADY_CONNECTED, "who was there was refused; close the socket"), ECONNABORTED); }

int connect_to(int fd, const EndName& end) {
  Known known;
  if (known_socket(fd, known) != 0) return -1;
  if (known.socket.hung_up) return refused_before();
  const bool idle = tcp_state(fd) == TCP_CLOSE;
  if (known.socket.pending && (!idle || known.socket.pending->end == end)) return go_on(fd, known, end);
  Pending pending{end, {}};
  if (resolve_end(end.value, false, pending.peer) != 0) return -1;
  if (!idle) return fail(base::fail(Code::ALREADY_CONNECTED, "wanted a socket before connect(2)"), EISCONN);
  const std::vector<channel::Address> addresses = pending.peer.addresses;
  known.socket.pending = std::move(pending);
  int result = -1;
  for (const channel::Address& address : addresses) {
    result = begin(fd, known, address);
    if (result == 0 || !tries_the_next(known, errno)) break;
  }
  return result;
}

}  // namespace

void shut(int fd) noexcept {
  const preload::ErrnoKept kept;
  (void)::shutdown(fd, SHUT_RDWR);
}

base::Status met_as_bound(const ShimSocket& socket, const protocol::Report& report) {
  if (socket.local.empty()) return {};
  if (same_identity(wanted_identity(socket.local), local_of(report))) return {};
  return base::fail(Code::WRONG_PEER, "wanted to be met as " + socket.local + ", found " + audit_line(local_of(report)));
}

// What failed stays pending, so that this is never 0 again; connect(2) begins anew.
int settle(int fd, Known& known) {
  if (known.socket.hung_up) return refused_before();
  int number = 0;
  socklen_t size = sizeof number;
  if (libc().getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &size) != 0) number = errno;
  const int state = tcp_state(fd);
  if (number == 0 && connects(state)) return fail(base::fail(Code::NOT_CONNECTED, "it connects"), EALREADY);
  if (number == 0 && state == TCP_CLOSE) number = ECONNABORTED;
  return number == 0 ? take_up(fd, known) : fail(base::system_error(Code::SYSTEM, "connect", number), number);
}

// getpeername(2) leaves the error to SO_ERROR, too.
int settle_first(int fd, Known& known) {
  if (!known.socket.pending && !known.socket.hung_up) return 0;
  const int state = tcp_state(fd);
  if (known.socket.pending && (connects(state) || state == TCP_CLOSE)) return fail(base::fail(Code::NOT_CONNECTED, "nobody is there"));
  return settle(fd, known);
}

}  // namespace gssipsec::api

using namespace gssipsec;
using namespace gssipsec::api;

#pragma GCC visibility push(default)

int shim_connect(int fd, const sockaddr* address, socklen_t length) {
  return guarded([&] {
    EndName end;
    return read_end(address, length, end) == 0 ? connect_to(fd, end) : -1;
  });
}

#pragma GCC visibility pop
