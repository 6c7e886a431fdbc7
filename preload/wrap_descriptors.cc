// SPDX-License-Identifier: MIT
// Where descriptors come and go, and the calls that say which socket a thread is busy with without reading or writing.
#include <fcntl.h>
#include <linux/close_range.h>

#include <cerrno>
#include <cstdarg>

#include "preload/descriptors.h"
#include "preload/real.h"
#include "preload/table.h"
#include "preload/wrap.h"

namespace gssipsec::preload {
namespace {

int accepted(int fd) noexcept {
  came(fd);
  touched(fd);
  return fd;
}

bool copies(int command) noexcept { return command == F_DUPFD || command == F_DUPFD_CLOEXEC; }

}  // namespace
}  // namespace gssipsec::preload

using namespace gssipsec::preload;

GSS_IPSEC_WRAP(int, accept, int fd, sockaddr* address, socklen_t* size) { return accepted(real().accept(fd, address, size)); }

GSS_IPSEC_WRAP(int, accept4, int fd, sockaddr* address, socklen_t* size, int flags) { return accepted(real().accept4(fd, address, size, flags)); }

GSS_IPSEC_WRAP(int, connect, int fd, const sockaddr* address, socklen_t size) {
  const int result = real().connect(fd, address, size);
  if (result == 0 || errno == EINPROGRESS || errno == EINTR) came(fd);
  touched(fd);
  return result;
}

// The number may have belonged to a socket that was closed out of sight.
GSS_IPSEC_WRAP(int, socket, int domain, int type, int protocol) {
  const int fd = real().socket(domain, type, protocol);
  went(fd);
  return fd;
}

GSS_IPSEC_WRAP(int, socketpair, int domain, int type, int protocol, int* pair) {
  const int result = real().socketpair(domain, type, protocol, pair);
  if (result == 0) went(pair[0]), went(pair[1]);
  return result;
}

// Before the number is free for another thread.
GSS_IPSEC_WRAP(int, close, int fd) {
  went(fd);
  return real().close(fd);
}

GSS_IPSEC_WRAP(int, close_range, unsigned first, unsigned last, int flags) {
  if (!(flags & CLOSE_RANGE_CLOEXEC)) went_range(first, last);
  return real().close_range(first, last, flags);
}

GSS_IPSEC_WRAP(void, closefrom, int lowest) {
  went_range(lowest > 0 ? static_cast<unsigned>(lowest) : 0, ~0u);
  real().closefrom(lowest);
}

GSS_IPSEC_WRAP(int, dup, int fd) {
  const int copy = real().dup(fd);
  copied(fd, copy);
  return copy;
}

GSS_IPSEC_WRAP(int, dup2, int fd, int wanted) {
  const int copy = real().dup2(fd, wanted);
  copied(fd, copy);
  return copy;
}

GSS_IPSEC_WRAP(int, dup3, int fd, int wanted, int flags) {
  const int copy = real().dup3(fd, wanted, flags);
  copied(fd, copy);
  return copy;
}

#define GSS_IPSEC_WRAP_FCNTL(name)                                \
  GSS_IPSEC_WRAP(int, name, int fd, int command, ...) {           \
    va_list more;                                                 \
    va_start(more, command);                                      \
    void* const argument = va_arg(more, void*);                   \
    va_end(more);                                                 \
    const int result = real().name(fd, command, argument);        \
    if (copies(command)) copied(fd, result);                      \
    return result;                                                \
  }
GSS_IPSEC_WRAP_FCNTL(fcntl)
GSS_IPSEC_WRAP_FCNTL(fcntl64)

GSS_IPSEC_WRAP(int, getsockopt, int fd, int level, int name, void* value, socklen_t* size) {
  if (level == SOL_SOCKET && name == SO_ERROR) touched(fd);
  return real().getsockopt(fd, level, name, value, size);
}

GSS_IPSEC_WRAP(int, setsockopt, int fd, int level, int name, const void* value, socklen_t size) {
  touched(fd);
  return real().setsockopt(fd, level, name, value, size);
}

GSS_IPSEC_WRAP(int, getpeername, int fd, sockaddr* address, socklen_t* size) {
  touched(fd);
  return real().getpeername(fd, address, size);
}

GSS_IPSEC_WRAP(int, getsockname, int fd, sockaddr* address, socklen_t* size) {
  touched(fd);
  return real().getsockname(fd, address, size);
}
