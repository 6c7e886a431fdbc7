// SPDX-License-Identifier: MIT
#include "client/wire.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "protocol/messages.h"

namespace gssipsec::client {
namespace {

using base::Code;

constexpr std::size_t kMaxDescriptors = 4;  // of one answer; the kernel drops and flags those beyond

// Room for SCM_CREDENTIALS and one descriptor, aligned as cmsg wants it.
struct Control {
  alignas(cmsghdr) char room[CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(sizeof(int))];
};

cmsghdr* append(cmsghdr* header, int type, const void* data, std::size_t size) noexcept {
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = type;
  header->cmsg_len = CMSG_LEN(size);
  memcpy(CMSG_DATA(header), data, size);
  return header;
}

// The effective ids: what the caller may do now, not what it was when it connected.
void describe_caller(msghdr& message, Control& control, int fd) noexcept {
  memset(&control, 0, sizeof control);
  message.msg_control = control.room;
  message.msg_controllen = fd < 0 ? CMSG_SPACE(sizeof(ucred)) : sizeof control.room;
  const ucred caller{getpid(), geteuid(), getegid()};
  cmsghdr* header = append(CMSG_FIRSTHDR(&message), SCM_CREDENTIALS, &caller, sizeof caller);
  if (fd >= 0) append(CMSG_NXTHDR(&message, header), SCM_RIGHTS, &fd, sizeof fd);
}

base::Error send_error(int number) {
  switch (number) {
    case EBADF: return base::fail(Code::NOT_A_SOCKET, "wanted an open descriptor");
    case EPERM: return base::fail(Code::CREDENTIALS_CHANGED, "the user changed during the call; call again");
    case ETOOMANYREFS: return base::fail(Code::LIMIT, "too many descriptors of this user are under way");
    case EPIPE: case ECONNRESET: return base::fail(Code::NO_BROKER, "it closed the connection");
    default: return base::system_error(Code::NO_BROKER, "sendmsg", number);
  }
}

ssize_t send_once(int socket, base::View octets, int fd) noexcept {
  iovec part{const_cast<std::byte*>(octets.data()), octets.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  Control control;
  describe_caller(message, control, fd);
  return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

// Keeps the first descriptor and closes all others.
void collect(const cmsghdr* header, base::UniqueFd& kept) noexcept {
  if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) return;
  const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  for (std::size_t i = 0; i < count; ++i) {
    int fd = -1;
    memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
    base::UniqueFd owned(fd);
    if (!kept) kept = std::move(owned);
  }
}

base::Error receive_error(int number) {
  if (number == 0 || number == ECONNRESET) return base::fail(Code::NO_BROKER, "it closed the connection");
  return base::system_error(Code::NO_BROKER, "recvmsg", number);
}

// One look, after poll(2) said that there is something. Room is made for the longest message and never filled with zeros: no
// more of it is touched than the answer needs. False: nothing was there after all.
base::Result<bool> receive_once(int socket, Datagram& datagram) {
  const auto room = std::make_unique_for_overwrite<std::byte[]>(protocol::kMaxMessage);
  iovec part{room.get(), protocol::kMaxMessage};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxDescriptors)];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t size = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (size <= 0) return receive_error(size == 0 ? 0 : errno);
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) collect(header, datagram.fd);
  datagram.octets.assign(room.get(), room.get() + size);
  explicit_bzero(room.get(), static_cast<std::size_t>(size));
  if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) return base::fail(Code::BAD_MESSAGE, "an answer was cut");
  return true;
}

}  // namespace

base::Error no_answer_in_time() {
  return base::fail(Code::BROKER_TIMEOUT, "wanted an answer within " + std::to_string(kCallMilliseconds / 1000) + " s");
}

base::Status send_datagram(int socket, base::View octets, int fd, const Deadline& deadline) {
  for (;;) {
    if (send_once(socket, octets, fd) >= 0) return {};
    if (errno != EAGAIN && errno != EINTR) return send_error(errno);
    if (!deadline.wait(socket, POLLOUT)) return no_answer_in_time();
  }
}

bool send_now(int socket, base::View octets) noexcept { return send_once(socket, octets, -1) >= 0; }

base::Result<Datagram> receive_datagram(int socket, const Deadline& deadline) {
  Datagram datagram;
  for (;;) {
    if (!deadline.wait(socket, POLLIN)) return no_answer_in_time();
    const auto got = receive_once(socket, datagram);
    if (!got) return got.error();
    if (*got) return datagram;
  }
}

}  // namespace gssipsec::client
