// SPDX-License-Identifier: MIT
#include "broker/session.h"

#include "broker/fault.h"

#include <poll.h>
#include <sys/socket.h>

#include <cstring>

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;
using protocol::Header;
using protocol::Verb;

// The client gives up after 2 s; half a second is left for what follows the waiting.
constexpr auto kPatience = std::chrono::milliseconds(1500);
constexpr std::size_t kHeader = 16;
constexpr std::size_t kMostDescriptors = 2;  // one is allowed; of a second we want to know

struct Message {
  base::Bytes data;
  std::vector<base::UniqueFd> descriptors;
  std::optional<Credentials> sender;
  bool data_cut = false, control_cut = false;
  bool end = false;
};

void read_control(msghdr& header, Message& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET) continue;
    const std::size_t length = part->cmsg_len - CMSG_LEN(0);
    if (part->cmsg_type == SCM_RIGHTS) {
      for (std::size_t at = 0; at + sizeof(int) <= length; at += sizeof(int)) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(part) + at, sizeof fd);
        message.descriptors.emplace_back(fd);
      }
    } else if (part->cmsg_type == SCM_CREDENTIALS && length >= sizeof(ucred)) {
      ucred sender{};
      std::memcpy(&sender, CMSG_DATA(part), sizeof sender);
      message.sender = Credentials{sender.pid, sender.uid, sender.gid};
    }
  }
}

Message receive(int socket) {
  static thread_local base::Bytes buffer(protocol::kMaxMessage);
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(kMostDescriptors * sizeof(int))];
  iovec part{buffer.data(), buffer.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  Message message;
  const ssize_t length = recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (length < 0) {
    message.end = errno != EAGAIN && errno != EINTR;
    return message;
  }
  read_control(header, message);
  message.data.assign(buffer.begin(), buffer.begin() + length);
  message.data_cut = header.msg_flags & MSG_TRUNC;
  message.control_cut = header.msg_flags & MSG_CTRUNC;
  message.end = length == 0 && !message.sender;  // an empty datagram has a sender, the end of the stream has none
  return message;
}

// As much of a header as there is, to address an error to its request, in a version that its sender reads. With none it is the
// first one, HELLO.
Header header_for_error(base::View data) {
  Header header;
  header.version = protocol::kOldestVersion;
  header.request = 1;
  base::Reader in(data);
  const std::uint32_t magic = in.u32();
  const std::uint16_t version = in.u16(), verb = in.u16();
  const std::uint32_t request = in.u32();
  if (in.failed() || data.size() < kHeader || magic != protocol::kMagic) return header;
  header.request = request;
  if (version >= protocol::kOldestVersion && version <= protocol::kVersion) header.version = version;
  if (verb <= static_cast<std::uint16_t>(protocol::kLastVerb) && verb != 0) header.verb = static_cast<Verb>(verb);
  return header;
}

bool hung_up(int socket) {
  pollfd look{socket, POLLHUP | POLLERR, 0};
  return poll(&look, 1, 0) > 0 && (look.revents & (POLLHUP | POLLERR));
}

base::Status acceptable(const Message& message, const Connection& connection) {
  if (!message.sender) return fail(Code::BAD_MESSAGE, "wanted the sender's credentials with the request");
  base::Status same = same_caller(connection.peer, *message.sender);
  if (!same.ok()) return same;
  if (message.data_cut) return fail(Code::BAD_MESSAGE, "longer than 64 KiB");
  if (message.control_cut || message.descriptors.size() > 1) return fail(Code::BAD_MESSAGE, "wanted at most one descriptor");
  return {};
}

bool takes_descriptor(Verb verb) {
  return verb == Verb::query || verb == Verb::initiate || verb == Verb::accept || verb == Verb::check ||
         verb == Verb::subscribe || verb == Verb::explain || verb == Verb::latch || verb == Verb::unlatch || verb == Verb::bind ||
         verb == Verb::binding || verb == Verb::hand_over || verb == Verb::take_over || verb == Verb::bound ||
         verb == Verb::require || verb == Verb::survey || verb == Verb::locators;
}

base::Status in_turn(Verb verb, const Connection& connection, bool descriptor) {
  if (verb == Verb::hello && connection.page) return fail(Code::BAD_MESSAGE, "HELLO comes once");
  if (verb != Verb::hello && !connection.page) return fail(Code::BAD_MESSAGE, "HELLO comes first");
  if (descriptor && !takes_descriptor(verb)) return fail(Code::BAD_MESSAGE, "this request takes no descriptor");
  return {};
}

base::Status give_page(Verb verb, Connection& connection) {
  if (verb != Verb::hello) return {};
  auto page = Page::create();
  if (!page) return page.error();
  connection.page = std::move(*page);
  return {};
}

bool refuse(const Connection& connection, const Header& header, const base::Error& error) {
  return send_message(connection.socket.get(), encode_error(header, error), -1);
}

bool send_answer(Connection& connection, Header header, Answer answer) {
  header.status = Code::ok;
  base::UniqueFd page;
  if (answer.page) page = connection.page->take_descriptor();
  base::Bytes data = encode(header, answer.body);
  const bool sent = send_message(connection.socket.get(), data, page.get());
  base::wipe(data);
  base::wipe(answer.body);
  reached(FaultPoint::answer_sent);
  return sent;
}

bool answer_frame(Core& core, Bench& bench, Connection& connection, const protocol::Frame& frame, int descriptor) {
  const Header& header = frame.header;
  base::Status status = in_turn(header.verb, connection, descriptor >= 0);
  if (!status.ok()) return refuse(connection, header, status.error()) && connection.page;
  status = give_page(header.verb, connection);
  if (!status.ok()) return refuse(connection, header, status.error());
  const Time now = Clock::now();
  const Request request{core.names.caller(connection.peer.uid, now), connection.page,   descriptor,         frame.body, now + kPatience,
                        connection.groups,                             connection.number, header.request};
  auto answer = dispatch(core, bench, header.verb, request);
  core.metrics.count(header.verb, answer.ok() ? Code::ok : answer.error().code);
  if (!answer) {
    if (header.verb == Verb::release) return true;
    if (header.verb == Verb::hello) connection.page.reset();
    return refuse(connection, header, answer.error());
  }
  if (header.verb == Verb::release) return true;  // nobody waits for an answer
  return send_answer(connection, header, std::move(*answer));
}

}  // namespace

bool send_message(int socket, base::View data, int fd) noexcept {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  iovec part{const_cast<std::byte*>(data.data()), data.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (fd >= 0) {
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  }
  return sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL) == static_cast<ssize_t>(data.size());
}

bool serve(Core& core, Bench& bench, Connection& connection) {
  const Message message = receive(connection.socket.get());
  if (message.end) return false;
  if (!message.sender && message.data.empty()) return true;  // nothing there after all
  Header header = header_for_error(message.data);
  const base::Status status = acceptable(message, connection);
  if (!status.ok()) return refuse(connection, header, status.error()) && status.error().code == Code::BAD_MESSAGE && connection.page;
  const auto frame = protocol::decode_frame(message.data);
  if (!frame) return refuse(connection, header, frame.error()) && connection.page;
  if (hung_up(connection.socket.get())) return false;
  reached(FaultPoint::request_read);
  const int descriptor = message.descriptors.empty() ? -1 : message.descriptors.front().get();
  return answer_frame(core, bench, connection, *frame, descriptor);
}

// MSG_PEEK without room for control data: descriptors in the message stay in the socket's queue.
void answer_unread(int socket, const base::Error& error) noexcept {
  try {
    std::byte start[kHeader];
    const ssize_t length = recv(socket, start, sizeof start, MSG_PEEK | MSG_DONTWAIT);
    const Header header = header_for_error(base::View(start, length > 0 ? static_cast<std::size_t>(length) : 0));
    (void)send_message(socket, encode_error(header, error), -1);
  } catch (...) {  // out of memory: the client meets its own deadline
  }
}

}  // namespace gssipsec::broker
