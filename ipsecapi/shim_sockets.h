// SPDX-License-Identifier: MIT
// Which sockets of this process are of PF_SHIM, and what their ends must be: by cookie, so that copies of a descriptor are one socket, and a
// number that is used again is another. Who is gone is forgotten when there are many. Threads: any, and signal handlers where it is only
// asked. After fork() the child has a copy.
#pragma once

#include <optional>
#include <string>

#include "ipsecapi/shim_end.h"

namespace gssipsec::api {

// On whom a listener insists.
enum class Peers : std::uint8_t { any, proven, unproven };

// To whom a socket connects, of whom nobody knows yet who he is.
struct Pending {
  EndName end;
  protocol::Endpoint peer;
  channel::Address at = {};  // the address that is tried
};

struct ShimSocket {
  std::uint32_t bound;               // value
  std::string local = {};            // identity of this end; "" any
  Peers peers = Peers::any;
  std::optional<Pending> pending = {};
  bool hung_up = false;              // who is there was refused; nothing more goes over it
};

void remember(std::uint64_t cookie, ShimSocket socket);
struct Known {
  std::uint64_t cookie = 0;
  ShimSocket socket;
};
// Failures as at the C border: EBADF, ENOTSOCK, EINVAL.
[[nodiscard]] int known_socket(int fd, Known& out);
[[nodiscard]] bool is_known(int fd) noexcept;

}  // namespace gssipsec::api
