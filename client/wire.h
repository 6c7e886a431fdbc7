// SPDX-License-Identifier: MIT
// One datagram to and from the broker, with what travels beside it: our credentials, at most one descriptor. Never raises
// SIGPIPE, never leaves a received descriptor open that the caller did not get, never lets one survive exec.
// Failures: NO_BROKER (the other end is closed), BROKER_TIMEOUT, BAD_MESSAGE. Threads: plain functions.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/unique_fd.h"
#include "client/deadline.h"

namespace gssipsec::client {

// May hold a session key: wiped when it goes.
struct Datagram {
  base::Bytes octets;
  base::UniqueFd fd;

  Datagram() = default;
  Datagram(Datagram&&) = default;
  Datagram& operator=(Datagram&&) = delete;
  ~Datagram() { base::wipe(octets); }
};

// `fd` -1: none. NOT_A_SOCKET when it is no open descriptor.
[[nodiscard]] base::Status send_datagram(int socket, base::View octets, int fd, const Deadline& deadline);
// Without waiting at all; true when it was sent.
bool send_now(int socket, base::View octets) noexcept;
[[nodiscard]] base::Result<Datagram> receive_datagram(int socket, const Deadline& deadline);

[[nodiscard]] base::Error no_answer_in_time();

}  // namespace gssipsec::client
