// SPDX-License-Identifier: MIT
// One connection to the broker, with its latch page. It belongs to the process and effective user that opened it: nobody
// else may send on it (usable() says so). Its descriptor is compared by socket cookie before each use, because programs
// that close "all" descriptors would otherwise let us write into a file of theirs.
// Threads: call(), usable(), has_room() and adopt() only by the one thread that took the connection from the pool;
// release() and state() from any. Failures: as broker.h says.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "client/page.h"
#include "client/wire.h"
#include "protocol/events.h"

namespace gssipsec::client {

class LatchSlot;

// An answer's body may hold a session key: wiped when it goes.
struct Answer {
  protocol::Frame frame;
  base::UniqueFd fd;

  Answer(protocol::Frame&& got, base::UniqueFd&& with) noexcept : frame(std::move(got)), fd(std::move(with)) {}
  Answer(Answer&&) = default;
  Answer& operator=(Answer&&) = delete;
  ~Answer() { base::wipe(frame.body); }
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // Connects, checks that root listens, exchanges HELLO.
  [[nodiscard]] static base::Result<std::shared_ptr<Connection>> open(const std::string& path, const Deadline& deadline);
  Connection(base::UniqueFd socket, const std::string& path);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // The answer to exactly this request. After any failure the connection is hung up: a late answer is never read.
  [[nodiscard]] base::Result<Answer> call(protocol::Verb verb, base::View body, int fd, const Deadline& deadline);
  // Ours, of this user and path, alive, and silent (an idle broker has nothing to say but late answers to RELEASE).
  [[nodiscard]] bool usable(const std::string& path) noexcept;
  [[nodiscard]] bool has_room() noexcept;
  // The one LatchSlot of this slot and generation. BAD_MESSAGE when the page has no such slot.
  [[nodiscard]] base::Result<std::shared_ptr<LatchSlot>> adopt(std::uint32_t slot, std::uint32_t generation);

  void release(std::uint32_t slot, std::uint32_t generation) noexcept;
  [[nodiscard]] protocol::LatchState state(std::uint32_t slot, std::uint32_t generation) const noexcept;
  // What the administrator says of this program now. An older broker has no lines; none: this one does not say.
  [[nodiscard]] std::optional<protocol::ProgramPolicy> program() const noexcept;
  // The broker sees the end of the connection at once, though latch slots keep this object.
  void hang_up() noexcept;

  // A connection of EventStream: events may come at any moment. Between a request and its answer they are kept.
  void take_events() noexcept { takes_events_ = true; }
  [[nodiscard]] int event_fd() const noexcept { return hung_up_.load() ? -1 : socket_.get(); }
  [[nodiscard]] base::Result<std::optional<protocol::Event>> next_event();

  // While idle the connection keeps itself (the pool holds a plain pointer in an atomic).
  std::shared_ptr<Connection> idle_owner;

 private:
  [[nodiscard]] base::Status greet(const Deadline& deadline);
  [[nodiscard]] base::Result<Answer> answer_to(protocol::Verb verb, std::uint32_t request, const Deadline& deadline);
  [[nodiscard]] base::Status keep_event(const protocol::Frame& frame);
  [[nodiscard]] base::Result<std::optional<protocol::Event>> read_event();
  [[nodiscard]] bool mine() const noexcept;     // same process, same effective user
  [[nodiscard]] bool intact() const noexcept;   // the number still names our socket
  [[nodiscard]] bool silent() noexcept;
  void forget_dead_slots() noexcept;

  base::UniqueFd socket_;
  std::string path_;
  std::uint64_t cookie_;
  pid_t pid_;
  uid_t uid_;
  gid_t gid_;
  std::atomic<std::uint32_t> last_request_{0};
  std::atomic<bool> hung_up_{false};
  std::unique_ptr<Page> page_;
  std::uint32_t page_slots_ = 0;
  std::uint16_t version_ = protocol::kOldestVersion;  // until HELLO agreed on another
  std::vector<std::weak_ptr<LatchSlot>> slots_;
  bool takes_events_ = false;
  std::deque<protocol::Event> events_;
};

// One slot of a connection's page, released when its last LatchWord goes.
class LatchSlot {
 public:
  LatchSlot(std::shared_ptr<Connection> connection, std::uint32_t slot, std::uint32_t generation) noexcept
      : connection_(std::move(connection)), slot_(slot), generation_(generation) {}
  LatchSlot(const LatchSlot&) = delete;
  LatchSlot& operator=(const LatchSlot&) = delete;
  ~LatchSlot() { connection_->release(slot_, generation_); }

  [[nodiscard]] protocol::LatchState state() const noexcept { return connection_->state(slot_, generation_); }
  [[nodiscard]] const Connection* connection() const noexcept { return connection_.get(); }
  [[nodiscard]] std::uint32_t slot() const noexcept { return slot_; }
  [[nodiscard]] std::uint32_t generation() const noexcept { return generation_; }

 private:
  std::shared_ptr<Connection> connection_;
  std::uint32_t slot_, generation_;
};

}  // namespace gssipsec::client
