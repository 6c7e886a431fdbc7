// SPDX-License-Identifier: MIT
// Where answers and complaints go. Threads: one.
#pragma once

#include <cstdio>
#include <string>

#include "base/result.h"

namespace gssipsec::tools {

// False: the reader is gone (| head), which is no failure of ours. What else keeps an answer from being written (a full disk) throws
// std::system_error, which ends the program; of a complaint it has nobody left to tell.
bool print(const std::string& text, std::FILE* to = stdout);
// Says what failed; the exit code for it.
[[nodiscard]] int complain(const base::Error& error, bool json);

}  // namespace gssipsec::tools
