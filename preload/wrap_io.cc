// SPDX-License-Identifier: MIT
// Where programs read and write. Nothing here makes a system call of its own, allocates, or holds a lock.
#include <algorithm>

#include "preload/descriptors.h"
#include "preload/real.h"
#include "preload/table.h"
#include "preload/wrap.h"

namespace gssipsec::preload {
namespace {

// What is only looked at, thrown away (the buffer may be null), urgent or an error's copy is not the stream.
constexpr int kNotTheStream = MSG_PEEK | MSG_TRUNC | MSG_OOB | MSG_ERRQUEUE;

ssize_t got(int fd, const void* octets, ssize_t size, int flags = 0) noexcept {
  touched(fd);
  if (size > 0 && !(flags & kNotTheStream)) received(fd, View(static_cast<const std::byte*>(octets), static_cast<std::size_t>(size)));
  return size;
}

ssize_t got_parts(int fd, const iovec* parts, std::size_t count, ssize_t size, int flags = 0) noexcept {
  touched(fd);
  if (size <= 0 || (flags & kNotTheStream)) return size;
  auto left = static_cast<std::size_t>(size);
  for (std::size_t i = 0; i < count && left != 0; ++i) {
    const std::size_t part = std::min(left, parts[i].iov_len);
    received(fd, View(static_cast<const std::byte*>(parts[i].iov_base), part));
    left -= part;
  }
  return size;
}

// Descriptors in a message are the only thing here that the kernel is asked about.
void take_descriptors(msghdr& message) noexcept {
  if (!message.msg_control) return;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS || part->cmsg_len < CMSG_LEN(0)) continue;
    const auto* numbers = reinterpret_cast<const int*>(CMSG_DATA(part));
    for (std::size_t i = 0; i < (part->cmsg_len - CMSG_LEN(0)) / sizeof(int); ++i) came(numbers[i]);
  }
}

void got_message(int fd, msghdr& message, ssize_t size, int flags) noexcept {
  got_parts(fd, message.msg_iov, message.msg_iovlen, size, flags | message.msg_flags);
  take_descriptors(message);
}

ssize_t sent(int fd, ssize_t size) noexcept {
  touched(fd);
  return size;
}

}  // namespace
}  // namespace gssipsec::preload

using namespace gssipsec::preload;

GSS_IPSEC_WRAP(ssize_t, read, int fd, void* data, size_t size) { return got(fd, data, real().read(fd, data, size)); }

GSS_IPSEC_WRAP(ssize_t, __read_chk, int fd, void* data, size_t size, size_t room) { return got(fd, data, real().__read_chk(fd, data, size, room)); }

GSS_IPSEC_WRAP(ssize_t, readv, int fd, const iovec* parts, int count) {
  return got_parts(fd, parts, static_cast<std::size_t>(count), real().readv(fd, parts, count));
}

GSS_IPSEC_WRAP(ssize_t, preadv2, int fd, const iovec* parts, int count, off_t offset, int flags) {
  return got_parts(fd, parts, static_cast<std::size_t>(count), real().preadv2(fd, parts, count, offset, flags));
}

GSS_IPSEC_WRAP(ssize_t, preadv64v2, int fd, const iovec* parts, int count, off_t offset, int flags) {
  return got_parts(fd, parts, static_cast<std::size_t>(count), real().preadv64v2(fd, parts, count, offset, flags));
}

GSS_IPSEC_WRAP(ssize_t, recv, int fd, void* data, size_t size, int flags) { return got(fd, data, real().recv(fd, data, size, flags), flags); }

GSS_IPSEC_WRAP(ssize_t, __recv_chk, int fd, void* data, size_t size, size_t room, int flags) {
  return got(fd, data, real().__recv_chk(fd, data, size, room, flags), flags);
}

GSS_IPSEC_WRAP(ssize_t, recvfrom, int fd, void* data, size_t size, int flags, sockaddr* from, socklen_t* length) {
  return got(fd, data, real().recvfrom(fd, data, size, flags, from, length), flags);
}

GSS_IPSEC_WRAP(ssize_t, __recvfrom_chk, int fd, void* data, size_t size, size_t room, int flags, sockaddr* from, socklen_t* length) {
  return got(fd, data, real().__recvfrom_chk(fd, data, size, room, flags, from, length), flags);
}

GSS_IPSEC_WRAP(ssize_t, recvmsg, int fd, msghdr* message, int flags) {
  const ssize_t size = real().recvmsg(fd, message, flags);
  if (size >= 0) got_message(fd, *message, size, flags);
  return size;
}

GSS_IPSEC_WRAP(int, recvmmsg, int fd, mmsghdr* messages, unsigned room, int flags, timespec* timeout) {
  const int count = real().recvmmsg(fd, messages, room, flags, timeout);
  for (int i = 0; i < count; ++i) got_message(fd, messages[i].msg_hdr, static_cast<ssize_t>(messages[i].msg_len), flags);
  return count;
}

GSS_IPSEC_WRAP(ssize_t, write, int fd, const void* data, size_t size) { return sent(fd, real().write(fd, data, size)); }

GSS_IPSEC_WRAP(ssize_t, writev, int fd, const iovec* parts, int count) { return sent(fd, real().writev(fd, parts, count)); }

GSS_IPSEC_WRAP(ssize_t, send, int fd, const void* data, size_t size, int flags) { return sent(fd, real().send(fd, data, size, flags)); }

GSS_IPSEC_WRAP(ssize_t, sendto, int fd, const void* data, size_t size, int flags, const sockaddr* to, socklen_t length) {
  return sent(fd, real().sendto(fd, data, size, flags, to, length));
}

GSS_IPSEC_WRAP(ssize_t, sendmsg, int fd, const msghdr* message, int flags) { return sent(fd, real().sendmsg(fd, message, flags)); }

GSS_IPSEC_WRAP(int, sendmmsg, int fd, mmsghdr* messages, unsigned count, int flags) {
  const int done = real().sendmmsg(fd, messages, count, flags);
  touched(fd);
  return done;
}

GSS_IPSEC_WRAP(ssize_t, sendfile, int fd, int from, off_t* offset, size_t size) { return sent(fd, real().sendfile(fd, from, offset, size)); }

GSS_IPSEC_WRAP(ssize_t, sendfile64, int fd, int from, off_t* offset, size_t size) { return sent(fd, real().sendfile64(fd, from, offset, size)); }
