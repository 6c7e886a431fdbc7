// SPDX-License-Identifier: MIT
// Where tests find files of the source tree (recordings, corpora), and what was built beside them.
#pragma once

#include <string>

namespace gssipsec::support {

// The full path of a file named from the top of the source tree.
[[nodiscard]] std::string source_path(const std::string& relative);
// And of one named from the top of the tree in which this test program was built.
[[nodiscard]] std::string built_path(const std::string& relative);

}  // namespace gssipsec::support
