// SPDX-License-Identifier: MIT
#include "tests/support/source_dir.h"

#include <unistd.h>

#include <array>
#include <cstdlib>

namespace gssipsec::support {

// Only this file is compiled with the path in it, so that a compiler cache serves every checkout for all others.
std::string source_path(const std::string& relative) {
  const char* top = std::getenv("GSS_IPSEC_TEST_SOURCE");
  return std::string(top ? top : TEST_SOURCE_DIR) + "/" + relative;
}

// Test programs are tests/unit/unit and tests/glue/glue there.
std::string built_path(const std::string& relative) {
  std::array<char, 4096> path{};
  const ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
  const std::string own(path.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  return own.substr(0, own.rfind("/tests/") + 1) + relative;
}

}  // namespace gssipsec::support
