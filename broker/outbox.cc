// SPDX-License-Identifier: MIT
#include "broker/outbox.h"

#include <limits>

#include "broker/core.h"

namespace gssipsec::broker {

base::Bytes event_message(std::uint32_t request, const protocol::Event& event) {
  return encode(protocol::Header{protocol::kOldestVersion, protocol::Verb::event, request, base::Code::ok}, encode(event));
}

base::Bytes Outbox::lost_message() const {
  protocol::Event event;
  event.type = protocol::EventType::lost;
  event.when = realtime();
  event.code = base::Code::LIMIT;
  event.detail = "this connection is read too slowly";
  event.missing = missing_;
  return event_message(request_, event);
}

// A LOST that waits to be sent keeps its place: while it does, all that comes is dropped, too.
bool Outbox::push(std::uint32_t request, const protocol::Event& event, std::size_t most, const Send& send) {
  if (missing_ == 0 && queue_.size() < most) {
    queue_.push_back(event_message(request, event));
  } else {
    request_ = request;
    if (missing_ < std::numeric_limits<std::uint32_t>::max()) ++missing_;
    ++dropped_;
  }
  return flush(send);
}

bool Outbox::flush(const Send& send) {
  if (held_) return true;
  while (!queue_.empty()) {
    const Sent sent = send(queue_.front());
    if (sent != Sent::yes) return sent == Sent::full;
    queue_.pop_front();
    ++sent_;
  }
  if (missing_ == 0) return true;
  const Sent sent = send(lost_message());
  if (sent == Sent::yes) missing_ = 0;
  return sent != Sent::gone;
}

}  // namespace gssipsec::broker
