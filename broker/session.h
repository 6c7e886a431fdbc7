// SPDX-License-Identifier: MIT
// One client's connection, and answering one message on it. Everything that reads from the socket, and its closing,
// happens in workers: a message may hold descriptors whose last close blocks as long as their sender likes, also those
// that the kernel drops because they are too many. Threads: one at a time (the server never submits two jobs of one
// connection); `phase` is shared.
#pragma once

#include <atomic>
#include <memory>

#include "base/unique_fd.h"
#include "broker/core.h"
#include "broker/handlers.h"

namespace gssipsec::broker {

struct Connection {
  // Where a request stands: the event thread may answer BUSY only while no worker has begun.
  enum class Phase : int { idle, waiting, begun, refused };

  base::UniqueFd socket;
  std::uint64_t number = 0;     // unique in the broker's life
  Credentials peer;             // SO_PEERCRED
  std::vector<std::uint32_t> groups;  // its, and SO_PEERGROUPS
  std::shared_ptr<Page> page;   // set by HELLO
  std::atomic<Phase> phase = Phase::idle;
};

// Reads one message, answers it. False: the connection is at its end (closed, cheating, or not reading its answers).
[[nodiscard]] bool serve(Core& core, Bench& bench, Connection& connection);

// For the event thread: answers the waiting message with an error without taking it from the socket.
void answer_unread(int socket, const base::Error& error) noexcept;

// A worker's bounded, non-blocking send. `fd` -1: none.
[[nodiscard]] bool send_message(int socket, base::View data, int fd) noexcept;

}  // namespace gssipsec::broker
