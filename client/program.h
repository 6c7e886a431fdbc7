// SPDX-License-Identifier: MIT
// What a process runs, as the administrator's [[program]] lines name it. Convenience only: the broker grants nothing for it.
#pragma once

#include <string>

namespace gssipsec::client {

// The path of the program's file, also where it was replaced or removed since it was started. "" where it cannot be told: without
// /proc, or where it does not fit into a message unchanged.
[[nodiscard]] std::string program_path();
// What that process would say of itself, as far as the caller may see it.
[[nodiscard]] std::string program_path(int pid);

}  // namespace gssipsec::client
