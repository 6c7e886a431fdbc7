// SPDX-License-Identifier: MIT
// Latches (RFC 5660 2.3), by the socket instead of a 5-tuple, which could be another's. The handle holds no descriptor: a copy of it
// would swallow the program's FIN.
#include "ipsecapi/latch.h"

#include "client/broker.h"
#include "client/connect.h"
#include "client/libc.h"
#include "client/sockets.h"
#include "ipsecapi/boundary.h"
#include "ipsecapi/look.h"
#include "ipsecapi/socket_address.h"
#include "ipsecapi/wanted.h"

namespace gssipsec::api {
namespace {

using base::Code;
using client::Broker;
using protocol::ChannelInfo;
using protocol::LatchState;

struct HeldLatch {
  int fd;
  std::uint64_t cookie;
  client::LatchWord word;
  bool closes;  // the kernel closes the connection when it breaks
  bool listens;
};
using LatchHandle = base::Handle<HeldLatch, ipsec_latch_t, 0x6970736563206c74>;

int no_latch() noexcept { return bad_argument("wanted a latch"); }

int give_latch(int fd, client::Latched<protocol::LatchReply> got, ipsec_latch_t* latch) {
  const ChannelInfo& channel = got.reply.channel;
  auto held = LatchHandle::make(HeldLatch{fd, channel.cookie, std::move(got.latch), channel.peer_authenticated && channel.breaks_shut,
                                           channel.latch == LatchState::listener});
  return *latch = LatchHandle::give(std::move(held)), 0;
}

base::Status is_enforced(const protocol::LatchReply& reply, LatchState wanted, std::uint64_t cookie) {
  if (reply.channel.cookie != cookie) return base::fail(Code::SOCKET_CHANGED, "it was closed or reused meanwhile");
  if (reply.channel.latch == wanted) return {};
  return base::fail(reply.why == Code::ok ? Code::NOT_LATCHABLE : reply.why, reply.detail);
}

// What waits to be read may have come before the latch. Asked when it is set: from then on nothing makes the past worse.
base::Status since_its_start(const client::FoundSocket& socket) {
  const auto report = look_at(socket.fd);
  if (!report) return report.error();
  const base::Status same = client::same_socket(socket);
  if (!same.ok() || report->since_start) return same;
  return base::fail(Code::STARTED_IN_CLEAR, format(report->flow));
}

struct Demands {
  Wanted least;
  const Identity* peer = nullptr;
  bool since_start = false;
};

int latch_connection(int fd, const Demands& demands, ipsec_latch_t* latch) {
  const auto socket = client::named_socket(fd);
  if (!socket) return fail(socket.error());
  auto got = Broker::latch(fd, {});
  if (!got) return fail(got.error());
  const base::Status enforced = is_enforced(got->reply, LatchState::established, socket->cookie);
  if (!enforced) return fail(enforced.error(), enforced.error().code == Code::SOCKET_CHANGED ? ESTALE : EOPNOTSUPP);
  base::Status status = strong_enough(demands.least, got->reply.channel);
  if (status.ok()) status = right_peer(demands.peer, got->reply.channel);
  if (status.ok() && demands.since_start) status = since_its_start(*socket);
  if (status.ok()) status = strong_by_configuration(demands.least, fd);
  return status.ok() ? give_latch(fd, *std::move(got), latch) : fail(status.error());
}

bool listens(int fd) noexcept {
  int answer = 0;
  socklen_t size = sizeof answer;
  return client::libc().getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &answer, &size) == 0 && answer;
}

// Without a peer: the latch that it has.
int latch_listener(int fd, const channel::Address& peer, ipsec_latch_t* latch) {
  const auto cookie = client::internet_socket(fd);
  if (!cookie) return fail(cookie.error());
  if (!listens(fd)) return bad_argument("wanted a listening socket");
  auto got = Broker::latch(fd, {peer});
  if (!got) return fail(got.error());
  const base::Status enforced = is_enforced(got->reply, LatchState::listener, *cookie);
  if (!enforced) return fail(enforced.error());
  return give_latch(fd, *std::move(got), latch);
}

// Taken up once more: what is latched can only become the same.
int find_latch(int fd, ipsec_latch_t* latch) {
  if (listens(fd)) return latch_listener(fd, {}, latch);
  const auto report = look_at(fd);
  if (!report) return fail(report.error());
  if (report->latch == LatchState::none) return fail(base::fail(Code::NO_LATCH, "descriptor " + std::to_string(fd)));
  return latch_connection(fd, {}, latch);
}

// What the page says, without asking; where it cannot say, what the broker does.
LatchState state_of(HeldLatch& held) {
  const auto now = client::socket_cookie(held.fd);
  if (!now || *now != held.cookie) return LatchState::closed;
  const LatchState state = held.word.state();
  if (state != LatchState::stale) return state;
  const base::Status confirmed = Broker::check(held.fd, held.cookie, held.word);
  if (confirmed.ok()) return held.word.state();
  return confirmed.error().code == Code::LATCH_BROKEN ? LatchState::broken : LatchState::stale;
}

int inquire(HeldLatch& held, enum ipsec_latch_state* state, Protection* protection) {
  const LatchState now = state_of(held);
  if (protection && now != LatchState::closed) {
    auto found = held.listens ? survey_of(held.fd, {protocol::Sight::listener, {}, 0, {}}) : survey_at(held.fd);
    if (!found) return fail(found.error());
    *protection = {*std::move(found), {}};
  } else if (protection) {
    return fail(base::fail(Code::SOCKET_CHANGED, "the latch's socket is closed"));
  }
  return *state = static_cast<ipsec_latch_state>(now), 0;
}

int release(ipsec_latch_t& latch) {
  HeldLatch& held = LatchHandle::of(latch)->object;
  const auto now = client::socket_cookie(held.fd);
  if (now && *now == held.cookie) {
    const base::Status done = Broker::unlatch(held.fd);
    if (!done.ok() && done.error().code != Code::NO_LATCH) return fail(done.error());
  }
  return LatchHandle::take(latch) ? 0 : -1;
}

}  // namespace

// Who wants nothing of the connection is told nothing of it, its past neither.
int create_connection_latch(int fd, ipsec_pToken_t wanted, ipsec_iToken_t peer, Past past, ipsec_latch_t* latch) noexcept {
  const Protection* protection = protection_of(wanted);
  const Identity* identity = identity_of(peer);
  if (!latch || (wanted && !protection) || (peer && !identity)) return bad_argument("wanted tokens or null, and a place for the latch");
  return guarded([&] {
    const auto least = wanted_of(protection);
    if (!least.ok()) return fail(least.error());
    return latch_connection(fd, {*least, identity, (protection || identity) && past == Past::to_be_shown}, latch);
  });
}

}  // namespace gssipsec::api

using namespace gssipsec;
using namespace gssipsec::api;

#pragma GCC visibility push(default)

int ipsec_create_connection_latch(int fd, const ipsec_pToken_t wanted, const ipsec_iToken_t peer, ipsec_latch_t* latch) {
  return create_connection_latch(fd, wanted, peer, Past::to_be_shown, latch);
}

int ipsec_create_listener_latch(int fd, const sockaddr* peer, socklen_t length, ipsec_latch_t* latch) {
  if (!latch || !peer || length < sizeof(sa_family_t)) return bad_argument("wanted an address, and a place for the latch");
  return guarded([&] {
    const auto end = end_of(peer, length);
    return end.ok() ? latch_listener(fd, end->address, latch) : fail(end.error());
  });
}

int ipsec_find_latch(int fd, ipsec_latch_t* latch) {
  if (!latch) return bad_argument("wanted a place for the latch");
  return guarded([&] { return find_latch(fd, latch); });
}

int ipsec_inquire_latch(ipsec_latch_t latch, enum ipsec_latch_state* state, ipsec_pToken_t found) {
  auto* handle = LatchHandle::of(latch);
  Protection* protection = protection_of(found);
  if (!handle || !state || (found && !protection)) return no_latch();
  return guarded([&] { return inquire(handle->object, state, protection); });
}

int ipsec_release_latch(ipsec_latch_t latch) {
  if (!LatchHandle::of(latch)) return no_latch();
  return guarded([&] { return release(latch); });
}

int ipsec_free_latch(ipsec_latch_t latch) {
  if (!latch) return 0;
  return guarded([&] { return LatchHandle::take(latch) ? 0 : no_latch(); });
}

int ipsec_set_break_policy(ipsec_latch_t latch, enum ipsec_break_policy policy) {
  const auto* handle = LatchHandle::of(latch);
  if (!handle) return no_latch();
  if (policy == IPSEC_ON_BREAK_DROP || (policy == IPSEC_ON_BREAK_RESET && handle->object.closes)) return 0;
  if (policy != IPSEC_ON_BREAK_RESET && policy != IPSEC_ON_BREAK_NOTIFY) return bad_argument("wanted an enum ipsec_break_policy");
  return guarded([&] {
    return fail(base::fail(Code::UNAVAILABLE, policy == IPSEC_ON_BREAK_RESET ? "the kernel does not close a connection whose latch breaks; it drops"
                                                                            : "a broken latch always stops the connection; subscribe to events to be told"));
  });
}

#pragma GCC visibility pop
