// SPDX-License-Identifier: MIT
#include "broker/fault.h"

#ifdef GSS_IPSEC_FAULT_POINTS

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string_view>

#include "base/unique_fd.h"

namespace gssipsec::broker {
namespace {

struct Entry {
  const char* name;
  bool latched;
};

#define GSS_IPSEC_FAULT_POINT(name, latched) {#name, latched},
constexpr Entry kPoints[] = {
#include "broker/fault_points.def"
};
#undef GSS_IPSEC_FAULT_POINT

}  // namespace

// Read anew each time, so that a test chooses the point while the broker runs.
void reached(FaultPoint point) noexcept {
  static const char* const path = secure_getenv("GSS_IPSEC_FAULT_FILE");
  if (!path) return;
  const base::UniqueFd file(open(path, O_RDONLY | O_CLOEXEC));
  std::array<char, 64> chosen;
  const ssize_t length = file ? read(file.get(), chosen.data(), chosen.size()) : -1;
  if (length <= 0 || std::string_view(chosen.data(), static_cast<std::size_t>(length)) != kPoints[static_cast<std::size_t>(point)].name) return;
  (void)kill(getpid(), SIGKILL);
}

void list_fault_points() {
  for (const Entry& point : kPoints) std::printf("%s %s\n", point.name, point.latched ? "latched" : "open");
}

}  // namespace gssipsec::broker

#endif
