// SPDX-License-Identifier: MIT
#include "client/deadline.h"

#include <poll.h>
#include <time.h>

#include <algorithm>
#include <cerrno>

namespace gssipsec::client {
namespace {

constexpr std::int64_t kPauseMilliseconds = 5;

timespec span(std::int64_t milliseconds) noexcept {
  return {static_cast<time_t>(milliseconds / 1000), static_cast<long>(milliseconds % 1000 * 1000000)};
}

}  // namespace

std::int64_t monotonic_milliseconds() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
}

std::int64_t Deadline::left() const noexcept { return std::max<std::int64_t>(0, end_ - monotonic_milliseconds()); }

bool Deadline::wait(int fd, short events) const noexcept {
  pollfd entry{fd, events, 0};
  for (;;) {
    const timespec rest = span(left());
    const int ready = ppoll(&entry, 1, &rest, nullptr);
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

bool Deadline::pause() const noexcept {
  const timespec rest = span(std::min(kPauseMilliseconds, left()));
  ppoll(nullptr, 0, &rest, nullptr);
  return !over();
}

}  // namespace gssipsec::client
