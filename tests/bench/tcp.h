// SPDX-License-Identifier: MIT
// TCP sockets of the benchmarks' two hosts, in the namespace of the moment. Failures: std::runtime_error.
#pragma once

#include <cstdint>

#include "base/unique_fd.h"

namespace gssipsec::bench {

inline constexpr const char* kFirstAddress = "10.1.0.1";
inline constexpr const char* kSecondAddress = "10.1.0.2";

[[nodiscard]] base::UniqueFd listen_at(std::uint16_t port);  // kSecondAddress; port 0: any
[[nodiscard]] base::UniqueFd accept_one(int listener);
// Closing it resets the connection: no TIME-WAIT uses up the ports.
[[nodiscard]] base::UniqueFd connect_to(std::uint16_t port);
[[nodiscard]] std::uint16_t port_of(int fd);

}  // namespace gssipsec::bench
