// SPDX-License-Identifier: MIT
// Subscriptions: events of a socket by a descriptor of their own, and in the shape of recvmsg(2) between the socket's data.
#include <fcntl.h>
#include <poll.h>
#include <sys/time.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>

#include "base/handle.h"
#include "client/events.h"
#include "client/libc.h"
#include "client/sockets.h"
#include "ipsecapi/boundary.h"
#include "ipsecapi/notification.h"

namespace gssipsec::api {
namespace {

using base::Code;
using Clock = std::chrono::steady_clock;

struct Subscribed {
  client::FoundSocket socket;
  client::EventStream stream;
  std::optional<base::Error> ended = {};              // the end was told
  std::optional<ipsec_notification> partly = {};      // given up to `given`
  std::size_t given = 0;
};
using SubscribedHandle = base::Handle<Subscribed, ipsec_subscription_t, 0x6970736563207375>;

int no_subscription() noexcept { return bad_argument("wanted a subscription"); }

int subscribe(int fd, std::uint32_t types, ipsec_subscription_t* subscription) {
  const auto socket = client::named_socket(fd);
  if (!socket) return fail(socket.error());
  auto stream = client::EventStream::open();
  if (!stream) return fail(stream.error());
  const auto reply = stream->subscribe(fd, types);
  if (!reply) return fail(reply.error());
  if (reply->cookie != socket->cookie) return fail(base::fail(Code::SOCKET_CHANGED, "it was closed or reused meanwhile"));
  auto handle = SubscribedHandle::make(Subscribed{*socket, *std::move(stream)});
  return *subscription = SubscribedHandle::give(std::move(handle)), 0;
}

// 1: one event; 0: nothing now. The end of the broker is an event once, and a failure from then on. Another process's stream is none
// of ours: a failure at once.
int next_event(Subscribed& subscribed, ipsec_notification& out) {
  if (subscribed.ended) return fail(*subscribed.ended);
  const auto event = subscribed.stream.next();
  if (!event && event.error().code == Code::CREDENTIALS_CHANGED) return fail(event.error());
  if (!event) {
    subscribed.ended = event.error();
    return out = end_of_stream(event.error()), 1;
  }
  if (!*event) return 0;
  return out = notification_of(**event), 1;
}

// RFC 6458 6: what does not fit comes with the next call; MSG_EOR says where it ends.
ssize_t hand_out(Subscribed& subscribed, msghdr* message) noexcept {
  const auto* octets = reinterpret_cast<const char*>(&*subscribed.partly);
  const std::size_t before = subscribed.given;
  for (const iovec& part : std::span(message->msg_iov, message->msg_iovlen)) {
    const std::size_t size = std::min(part.iov_len, sizeof(ipsec_notification) - subscribed.given);
    if (size != 0) memcpy(part.iov_base, octets + subscribed.given, size);
    subscribed.given += size;
  }
  const bool whole = subscribed.given == sizeof(ipsec_notification);
  const auto size = static_cast<ssize_t>(subscribed.given - before);
  message->msg_namelen = 0;
  message->msg_controllen = 0;
  message->msg_flags = IPSEC_MSG_NOTIFICATION | (whole ? MSG_EOR : 0);
  if (whole) subscribed.partly.reset();
  return size;
}

bool has_room(const msghdr& message) noexcept {
  return std::ranges::any_of(std::span(message.msg_iov, message.msg_iovlen), [](const iovec& part) { return part.iov_len != 0; });
}

// When a call that waits gives up, by SO_RCVTIMEO; never without one.
std::optional<Clock::time_point> end_of_patience(int fd) noexcept {
  timeval limit{};
  socklen_t size = sizeof limit;
  if (client::libc().getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, &size) != 0 || (limit.tv_sec == 0 && limit.tv_usec == 0)) return {};
  return Clock::now() + std::chrono::seconds(std::min<long>(limit.tv_sec, 1000000)) + std::chrono::microseconds(limit.tv_usec);
}

int milliseconds_until(const std::optional<Clock::time_point>& end) noexcept {
  if (!end) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*end - Clock::now()).count();
  return static_cast<int>(std::max<std::int64_t>(left, 0));
}

bool may_wait(int fd, int flags) noexcept { return !(flags & MSG_DONTWAIT) && !(fcntl(fd, F_GETFL) & O_NONBLOCK); }

// How a call waits that found nothing: not each finds nothing.
struct Patience {
  bool waits = false;
  std::optional<Clock::time_point> end;
};
Patience patience_of(int fd, int flags) noexcept {
  const bool waits = may_wait(fd, flags);
  return {waits, waits ? end_of_patience(fd) : std::nullopt};
}

ssize_t receive_data(int fd, msghdr* message, int flags) {
  const ssize_t size = recvmsg(fd, message, flags);
  return size < 0 ? system_failure("recvmsg") : size;
}

// Either may have something; false: errno says why not. What lies in the error queue makes poll(2) say so all the time.
bool wait_for_either(const Subscribed& subscribed, const std::optional<Clock::time_point>& end) noexcept {
  pollfd sources[] = {{subscribed.socket.fd, POLLIN, 0}, {subscribed.stream.fd(), POLLIN, 0}};
  const int left = milliseconds_until(end), ready = left == 0 ? 0 : poll(sources, 2, left);
  if (ready == 0) errno = EAGAIN;
  return ready > 0;
}

// 1: there is one to be handed out.
int take_event(Subscribed& subscribed) {
  if (subscribed.partly) return 1;
  if (subscribed.ended) return 0;
  ipsec_notification event;
  const int there = next_event(subscribed, event);
  if (there > 0) subscribed.partly = event, subscribed.given = 0;
  return there;
}

ssize_t receive(Subscribed& subscribed, msghdr* message, int flags) {
  const int fd = subscribed.socket.fd;
  if (const base::Status same = client::same_socket(subscribed.socket); !same) return fail(same.error());
  if ((flags & (MSG_PEEK | MSG_ERRQUEUE)) || !has_room(*message)) return receive_data(fd, message, flags);
  std::optional<Patience> patience;
  for (;;) {
    const int there = take_event(subscribed);
    if (there < 0) return there;
    if (there > 0) return hand_out(subscribed, message);
    if (subscribed.ended) return receive_data(fd, message, flags);
    const ssize_t size = recvmsg(fd, message, flags | MSG_DONTWAIT);
    if (size >= 0) return size;
    if (errno != EAGAIN) return system_failure("recvmsg");
    if (!patience) patience = patience_of(fd, flags);
    if (!patience->waits || !wait_for_either(subscribed, patience->end)) return system_failure("recvmsg");
  }
}

}  // namespace
}  // namespace gssipsec::api

using namespace gssipsec::api;

#pragma GCC visibility push(default)

int ipsec_event_subscribe(int fd, const ipsec_event* events, size_t count, ipsec_subscription_t* subscription) {
  if (!subscription || !events) return bad_argument("wanted events, and a place for the subscription");
  return guarded([&] {
    const auto types = types_of(events, count);
    return types.ok() ? subscribe(fd, *types, subscription) : fail(types.error());
  });
}

int ipsec_event_fd(ipsec_subscription_t subscription) {
  const auto* handle = SubscribedHandle::of(subscription);
  if (!handle) return no_subscription();
  return guarded([&] {
    const int fd = handle->object.stream.fd();
    return fd >= 0 ? fd : fail({gssipsec::base::Code::NO_BROKER, "the subscription has ended; subscribe anew"});
  });
}

int ipsec_event_next(ipsec_subscription_t subscription, ipsec_notification* event) {
  auto* handle = SubscribedHandle::of(subscription);
  if (!handle || !event) return no_subscription();
  return guarded([&] { return next_event(handle->object, *event); });
}

ssize_t ipsec_recvmsg(ipsec_subscription_t subscription, msghdr* message, int flags) {
  auto* handle = SubscribedHandle::of(subscription);
  if (!handle || !message) return no_subscription();
  return guarded([&] { return receive(handle->object, message, flags); });
}

int ipsec_event_free(ipsec_subscription_t subscription) {
  if (!subscription) return 0;
  return guarded([&] { return SubscribedHandle::take(subscription) ? 0 : no_subscription(); });
}

#pragma GCC visibility pop
