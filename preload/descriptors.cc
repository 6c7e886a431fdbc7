// SPDX-License-Identifier: MIT
#include "preload/descriptors.h"

#include <netinet/in.h>
#include <unistd.h>

#include <atomic>

#include "preload/errno_kept.h"
#include "preload/real.h"
#include "preload/table.h"

namespace gssipsec::preload {
namespace {

constinit std::atomic<pid_t> owner = 0;

bool is_own() noexcept { return getpid() == owner.load(std::memory_order_relaxed); }

int option(int fd, int name) noexcept {
  int value = -1;
  socklen_t size = sizeof value;
  return real().getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

// 0 for what is no internet stream socket, or a listener.
std::uint64_t stream_cookie(int fd) noexcept {
  const ErrnoKept kept;
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  const int domain = option(fd, SO_DOMAIN);
  const bool stream = (domain == AF_INET || domain == AF_INET6) && option(fd, SO_TYPE) == SOCK_STREAM && option(fd, SO_ACCEPTCONN) == 0;
  if (!stream || real().getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) != 0) cookie = 0;
  return cookie;
}

}  // namespace

void own_descriptors() noexcept { owner.store(getpid(), std::memory_order_relaxed); }

void came(int fd) noexcept {
  if (fd >= 0 && is_own()) begin(fd, stream_cookie(fd));
}

void copied(int fd, int copy) noexcept {
  if (copy >= 0 && copy != fd && is_own()) begin(copy, cookie_of(fd));
}

void went(int fd) noexcept {
  if (cookie_of(fd) != 0 && is_own()) end(fd);
}

void went_range(unsigned first, unsigned last) noexcept {
  if (is_own()) end_range(first, last);
}

}  // namespace gssipsec::preload
