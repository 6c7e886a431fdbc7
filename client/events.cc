// SPDX-License-Identifier: MIT
#include "client/events.h"

#include "client/connect.h"
#include "client/connection.h"

namespace gssipsec::client {
namespace {

using base::Code;
using protocol::Scope;
using protocol::SubscribeReply;
using protocol::Verb;

base::Result<Answer> ask(Connection& connection, Verb verb, const base::Bytes& body, int fd) {
  auto answer = connection.call(verb, body, fd, Deadline(kCallMilliseconds));
  if (!answer) return answer.error();
  if (answer->frame.header.status != Code::ok) return protocol::error_of(answer->frame);
  return answer;
}

base::Result<SubscribeReply> subscribed(Connection& connection, const protocol::SubscribeRequest& request, int fd) {
  const auto answer = ask(connection, Verb::subscribe, encode(request), fd);
  if (!answer) return answer.error();
  auto reply = protocol::decode_subscribe_reply(answer->frame.body);
  if (!reply) connection.hang_up();
  return reply;
}

}  // namespace

EventStream::EventStream(std::shared_ptr<Connection> connection) noexcept : connection_(std::move(connection)) {}
EventStream::EventStream(EventStream&&) noexcept = default;
EventStream& EventStream::operator=(EventStream&&) noexcept = default;
EventStream::~EventStream() = default;

base::Result<EventStream> EventStream::open() {
  auto connection = Connection::open(broker_path(), Deadline(kCallMilliseconds));
  if (!connection) return connection.error();
  (*connection)->take_events();
  return EventStream(*std::move(connection));
}

base::Result<SubscribeReply> EventStream::subscribe(int fd, std::uint32_t types) {
  if (fd < 0) return base::fail(Code::NOT_A_SOCKET, "wanted a descriptor, found " + std::to_string(fd));
  return subscribed(*connection_, {types, Scope::socket}, fd);
}

base::Result<SubscribeReply> EventStream::subscribe_all(std::uint32_t types) { return subscribed(*connection_, {types, Scope::all}, -1); }

base::Status EventStream::unsubscribe(std::uint32_t subscription) {
  const auto answer = ask(*connection_, Verb::unsubscribe, encode(protocol::UnsubscribeRequest{subscription}), -1);
  return answer ? base::Status() : base::Status(answer.error());
}

int EventStream::fd() const noexcept { return connection_->event_fd(); }

base::Result<std::optional<protocol::Event>> EventStream::next() { return connection_->next_event(); }

}  // namespace gssipsec::client
