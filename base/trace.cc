// SPDX-License-Identifier: MIT
#include "base/trace.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>

#include "base/uncancelled.h"
#include "base/unique_fd.h"

namespace gssipsec::base {
namespace {

// Asked at every line, so that a host program may set it at any time; secure_getenv is a scan of a short list.
const char* target() noexcept {
  const char* path = secure_getenv("GSS_IPSEC_TRACE");
  return path && *path == '/' ? path : nullptr;
}

}  // namespace

bool tracing() noexcept { return target() != nullptr; }

void trace(std::string_view area, std::string_view text) noexcept {
  const char* path = target();
  if (!path) return;
  const Uncancelled whole;
  const UniqueFd file(open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600));
  if (!file) return;
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  char line[1024];
  const int length = snprintf(line, sizeof line, "%lld.%06ld %d %.*s: %.*s\n", static_cast<long long>(now.tv_sec),
                              now.tv_nsec / 1000, static_cast<int>(getpid()), static_cast<int>(area.size()), area.data(),
                              static_cast<int>(text.size() < 900 ? text.size() : 900), text.data());
  if (length > 0) {
    const auto size = static_cast<std::size_t>(length) < sizeof line ? static_cast<std::size_t>(length) : sizeof line - 1;
    [[maybe_unused]] const ssize_t written = write(file.get(), line, size);
  }
}

}  // namespace gssipsec::base
