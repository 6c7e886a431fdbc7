// SPDX-License-Identifier: MIT
// The internet stream sockets of the process by descriptor, what each received last, and which of them each thread touched.
// Threads: any, and signal handlers; no locks. touched() and received() make no system call and allocate nothing; the rest is for
// calls that change descriptors. None changes errno. Descriptors from kDescriptors on are not seen.
#pragma once

#include <cstdint>

#include "preload/interface.h"
#include "preload/window.h"

namespace gssipsec::preload {

inline constexpr int kDescriptors = 65536;

// What the descriptor is from now on. A socket that is there already keeps what it received; cookie 0: no stream socket of ours.
void begin(int fd, std::uint64_t cookie) noexcept;
void end(int fd) noexcept;
void end_range(unsigned first, unsigned last) noexcept;
[[nodiscard]] std::uint64_t cookie_of(int fd) noexcept;  // 0: none

void touched(int fd) noexcept;
void overlook(bool touches) noexcept;  // of this thread, from now on
void received(int fd, View octets) noexcept;

// As in interface.h.
[[nodiscard]] bool last_touched(Socket& out) noexcept;
[[nodiscard]] int received_on(View token, Socket* out, int room) noexcept;
void forget(const Socket& socket) noexcept;

}  // namespace gssipsec::preload
