// SPDX-License-Identifier: MIT
#include "tests/support/source_dir.h"

#include <cstdlib>

namespace gssipsec::support {

// Only this file is compiled with the path in it, so that a compiler cache serves every checkout for all others.
std::string source_path(const std::string& relative) {
  const char* top = std::getenv("GSS_IPSEC_TEST_SOURCE");
  return std::string(top ? top : TEST_SOURCE_DIR) + "/" + relative;
}

}  // namespace gssipsec::support
