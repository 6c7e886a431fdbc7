// SPDX-License-Identifier: MIT
#include "client/connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <exception>

#include "client/connect.h"
#include "client/program.h"

namespace gssipsec::client {
namespace {

using base::Code;
using protocol::Verb;

constexpr std::size_t kMaxKeptEvents = 1024;

constexpr bool has_program_word(std::uint16_t version) noexcept { return version >= 2; }

base::Error wrong_answer(const protocol::Header& found) {
  return base::fail(Code::BAD_MESSAGE, "an answer to another request (verb " + std::to_string(static_cast<int>(found.verb)) +
                                           ", request " + std::to_string(found.request) + ")");
}

}  // namespace

base::Result<std::shared_ptr<Connection>> Connection::open(const std::string& path, const Deadline& deadline) {
  auto socket = connect_to_broker(path, deadline);
  if (!socket) return socket.error();
  auto connection = std::make_shared<Connection>(*std::move(socket), path);
  if (const base::Status met = connection->greet(deadline); !met) return met.error();
  return connection;
}

Connection::Connection(base::UniqueFd socket, const std::string& path)
    : socket_(std::move(socket)), path_(path), cookie_(socket_cookie(socket_.get()).value_or(0)), pid_(getpid()),
      uid_(geteuid()), gid_(getegid()) {}

Connection::~Connection() {
  if (!intact()) (void)socket_.release();
}

base::Status Connection::greet(const Deadline& deadline) {
  protocol::HelloRequest hello;
  hello.program = program_path();
  auto answer = call(Verb::hello, protocol::encode(hello), -1, deadline);
  if (!answer) return answer.error();
  if (answer->frame.header.status != Code::ok) return protocol::error_of(answer->frame);
  const auto reply = protocol::decode_hello_reply(answer->frame.body);
  if (!reply) return reply.error();
  const std::uint32_t most_slots = has_program_word(reply->version) ? protocol::kPageSlots : protocol::kPageWords;
  if (reply->version < protocol::kOldestVersion || reply->version > protocol::kVersion || reply->slots > most_slots)
    return base::fail(Code::PROTOCOL_VERSION, "the broker chose version " + std::to_string(reply->version));
  if (!answer->fd) return base::fail(Code::BAD_MESSAGE, "wanted a latch page with HELLO, found none");
  auto page = Page::map(answer->fd.get());
  if (!page) return page.error();
  page_ = std::make_unique<Page>(*std::move(page));
  page_slots_ = reply->slots;
  version_ = reply->version;
  return {};
}

base::Result<Answer> Connection::call(Verb verb, base::View body, int fd, const Deadline& deadline) {
  if (version_ < protocol::first_version(verb))
    return base::fail(Code::PROTOCOL_VERSION, "the broker speaks version " + std::to_string(version_) + ", which has no such request; restart it after the upgrade");
  const std::uint32_t request = ++last_request_;
  const base::Bytes datagram = protocol::encode({version_, verb, request, Code::ok}, body);
  if (const base::Status sent = send_datagram(socket_.get(), datagram, fd, deadline); !sent) {
    if (sent.error().code != Code::NOT_A_SOCKET) hang_up();
    return sent.error();
  }
  auto answer = answer_to(verb, request, deadline);
  if (!answer) hang_up();
  return answer;
}

base::Result<Answer> Connection::answer_to(Verb verb, std::uint32_t request, const Deadline& deadline) {
  for (;;) {
    auto datagram = receive_datagram(socket_.get(), deadline);
    if (!datagram) return datagram.error();
    auto frame = protocol::decode_frame(datagram->octets);
    if (!frame) return frame.error();
    const protocol::Header& found = frame->header;
    // RELEASE needs no answer; a broker that sends one all the same is not misunderstood.
    if (found.verb == Verb::release) continue;
    if (found.verb == Verb::event && takes_events_) {
      if (const base::Status kept = keep_event(*frame); !kept) return kept.error();
      continue;
    }
    Answer answer(*std::move(frame), std::move(datagram->fd));
    if (answer.frame.header.verb != verb || answer.frame.header.request != request) return wrong_answer(answer.frame.header);
    return answer;
  }
}

// Bounded: a broker that talks instead of answering is not ours.
base::Status Connection::keep_event(const protocol::Frame& frame) {
  if (events_.size() >= kMaxKeptEvents) return base::fail(Code::BAD_MESSAGE, "events without end in the place of an answer");
  auto event = protocol::decode_event(frame.body);
  if (!event) return event.error();
  events_.push_back(*std::move(event));
  return {};
}

base::Result<std::optional<protocol::Event>> Connection::read_event() {
  auto datagram = receive_datagram(socket_.get(), Deadline(0));
  if (!datagram && datagram.error().code == Code::BROKER_TIMEOUT) return std::optional<protocol::Event>();
  if (!datagram) return datagram.error();
  const auto frame = protocol::decode_frame(datagram->octets);
  if (!frame) return frame.error();
  if (frame->header.verb != Verb::event || frame->header.status != Code::ok) return wrong_answer(frame->header);
  auto event = protocol::decode_event(frame->body);
  if (!event) return event.error();
  return std::optional<protocol::Event>(*std::move(event));
}

base::Result<std::optional<protocol::Event>> Connection::next_event() {
  if (!mine()) return base::fail(Code::CREDENTIALS_CHANGED, "events belong to the process and user that subscribed");
  if (!events_.empty()) {
    std::optional<protocol::Event> first = std::move(events_.front());
    events_.pop_front();
    return first;
  }
  if (hung_up_.load() || !intact()) return base::fail(Code::NO_BROKER, "the connection for events has ended; subscribe anew");
  auto event = read_event();
  if (!event) hang_up();
  return event;
}

bool Connection::mine() const noexcept { return pid_ == getpid() && uid_ == geteuid() && gid_ == getegid(); }

bool Connection::intact() const noexcept {
  const auto cookie = socket_cookie(socket_.get());
  return cookie && *cookie == cookie_;
}

bool Connection::silent() noexcept {
  const Deadline now(0);
  while (now.wait(socket_.get(), POLLIN)) {
    const auto datagram = receive_datagram(socket_.get(), now);
    if (!datagram) return false;
    const auto frame = protocol::decode_frame(datagram->octets);
    if (!frame || frame->header.verb != Verb::release) return false;
  }
  return true;
}

bool Connection::usable(const std::string& path) noexcept {
  try {
    if (!mine() || path != path_ || hung_up_.load() || !intact()) return false;
    if (silent()) return true;
    hang_up();  // its latches are stale from now on, not only when the heart has been silent for long
    return false;
  } catch (const std::exception&) {
    return false;
  }
}

void Connection::forget_dead_slots() noexcept {
  std::erase_if(slots_, [](const std::weak_ptr<LatchSlot>& slot) { return slot.expired(); });
}

bool Connection::has_room() noexcept {
  forget_dead_slots();
  return slots_.size() < page_slots_;
}

base::Result<std::shared_ptr<LatchSlot>> Connection::adopt(std::uint32_t slot, std::uint32_t generation) {
  if (slot >= page_slots_ || generation == 0)
    return base::fail(Code::BAD_MESSAGE, "latch slot " + std::to_string(slot) + " is not on this connection's page");
  forget_dead_slots();
  for (const std::weak_ptr<LatchSlot>& known : slots_)
    if (auto found = known.lock(); found && found->slot() == slot && found->generation() == generation) return found;
  auto fresh = std::make_shared<LatchSlot>(shared_from_this(), slot, generation);
  slots_.push_back(fresh);
  return fresh;
}

void Connection::release(std::uint32_t slot, std::uint32_t generation) noexcept {
  if (!mine() || hung_up_.load() || !intact()) return;
  try {
    const protocol::Header header{version_, Verb::release, ++last_request_, Code::ok};
    send_now(socket_.get(), protocol::encode(header, protocol::encode(protocol::ReleaseRequest{slot, generation})));
  } catch (const std::exception&) {
    // Best effort: the broker frees all slots with the connection.
  }
}

protocol::LatchState Connection::state(std::uint32_t slot, std::uint32_t generation) const noexcept {
  const protocol::LatchState state = page_->state(slot, generation);
  return state == protocol::LatchState::established && hung_up_.load(std::memory_order_relaxed) ? protocol::LatchState::stale
                                                                                                : state;
}

std::optional<protocol::ProgramPolicy> Connection::program() const noexcept {
  return has_program_word(version_) ? page_->program() : protocol::ProgramPolicy{};
}

// Not close(): a RELEASE of another thread may be on its way to this number. In a forked child the socket is also the
// parent's, so only the child's copy may go.
void Connection::hang_up() noexcept {
  if (hung_up_.exchange(true)) return;
  if (mine() && intact()) shutdown(socket_.get(), SHUT_RDWR);
}

}  // namespace gssipsec::client
