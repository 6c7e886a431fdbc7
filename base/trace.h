// SPDX-License-Identifier: MIT
// Decisions, not functions, written as one line each to the file that GSS_IPSEC_TRACE names (secure_getenv: ignored
// in setuid programs). Silent by default; never secrets; never stdout. Format: "<seconds.micros> <pid> <area>: <text>\n".
// Threads: any; each line is one write(2) on an O_APPEND descriptor opened with O_CLOEXEC|O_NOFOLLOW|O_NOCTTY.
#pragma once

#include <string_view>

namespace gssipsec::base {

[[nodiscard]] bool tracing() noexcept;
void trace(std::string_view area, std::string_view text) noexcept;

}  // namespace gssipsec::base
