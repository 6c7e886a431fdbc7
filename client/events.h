// SPDX-License-Identifier: MIT
// A subscription to the broker's events, over a connection of its own that is never pooled. No thread: poll(2) fd() and call
// next() until it says nothing. The end of the connection (NO_BROKER) means that everything later is lost: open another and
// subscribe anew. Belongs to the process and user that opened it. Threads: one at a time. Failures: as broker.h says.
#pragma once

#include <memory>
#include <optional>

#include "base/result.h"
#include "protocol/events.h"

namespace gssipsec::client {

class Connection;

class EventStream {
 public:
  [[nodiscard]] static base::Result<EventStream> open();
  EventStream(EventStream&&) noexcept;
  EventStream& operator=(EventStream&&) noexcept;
  ~EventStream();

  // Events of the socket, which its holder may have; `types` as protocol::event_bit().
  [[nodiscard]] base::Result<protocol::SubscribeReply> subscribe(int fd, std::uint32_t types);
  // Of the whole namespace: NOT_ALLOWED but for those whom the administrator named.
  [[nodiscard]] base::Result<protocol::SubscribeReply> subscribe_all(std::uint32_t types);
  [[nodiscard]] base::Status unsubscribe(std::uint32_t subscription);

  // Readable when next() has something; -1 after the end.
  [[nodiscard]] int fd() const noexcept;
  // The next event, or nothing now. Never waits.
  [[nodiscard]] base::Result<std::optional<protocol::Event>> next();

 private:
  explicit EventStream(std::shared_ptr<Connection> connection) noexcept;
  std::shared_ptr<Connection> connection_;
};

}  // namespace gssipsec::client
