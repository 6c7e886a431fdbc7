// SPDX-License-Identifier: MIT
// What this process says of its program, and what the administrator's configuration says to that: kept for a minute, so that
// a reload reaches programs that run for months, and contexts do not ask each time. Static storage without constructor or
// lock. Threads: any.
#pragma once

#include <optional>
#include <string>

#include "protocol/messages.h"

namespace gssipsec::client {

// /proc/self/exe, at most kMaxName octets. Convenience only: the broker grants nothing for it.
[[nodiscard]] std::string program_path();

[[nodiscard]] std::optional<protocol::ProgramReply> kept_settings(const std::string& broker) noexcept;
void keep_settings(const std::string& broker, const protocol::ProgramReply& settings) noexcept;

}  // namespace gssipsec::client
