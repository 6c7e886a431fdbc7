// SPDX-License-Identifier: MIT
// From a path to a socket on which root listens. Nothing is sent before the listener's uid is known.
// Failures: NO_BROKER at once when nobody listens, BROKER_TIMEOUT, FALSE_BROKER. Threads: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "client/deadline.h"

namespace gssipsec::client {

// Compiled in, or GSS_IPSEC_BROKER (absolute; not in setuid programs).
[[nodiscard]] std::string broker_path();
// NO_BROKER when nobody ever made its socket: one system call, so that the plugin costs little where there is no broker.
[[nodiscard]] base::Status broker_was_started();
[[nodiscard]] base::Result<base::UniqueFd> connect_to_broker(const std::string& path, const Deadline& deadline);
// Says which socket lies at a path, so that a restarted broker is not taken for the former one; 0 none.
[[nodiscard]] std::uint64_t identity_of(const std::string& path) noexcept;
// SO_COOKIE; none when the number names no socket.
[[nodiscard]] std::optional<std::uint64_t> socket_cookie(int fd) noexcept;

}  // namespace gssipsec::client
