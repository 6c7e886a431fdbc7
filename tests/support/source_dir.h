// SPDX-License-Identifier: MIT
// Where tests find files of the source tree (recordings, corpora), wherever they were built.
#pragma once

#include <string>

namespace gssipsec::support {

// The full path of a file named from the top of the source tree.
[[nodiscard]] std::string source_path(const std::string& relative);

}  // namespace gssipsec::support
