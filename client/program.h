// SPDX-License-Identifier: MIT
// What this process says of its program. Threads: any.
#pragma once

#include <string>

namespace gssipsec::client {

// /proc/self/exe, at most kMaxName octets. Convenience only: the broker grants nothing for it.
[[nodiscard]] std::string program_path();

}  // namespace gssipsec::client
