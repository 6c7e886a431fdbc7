// SPDX-License-Identifier: MIT
// What INITIATE found out about a connection that it latched, for the next requests of the same handshake: they come within
// milliseconds, and nothing has to be found out twice while nothing changed. Threads: any.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "broker/aging.h"
#include "kernel/socket.h"

namespace gssipsec::broker {

struct Core;
struct Prepared;
using SharedPrepared = std::shared_ptr<const Prepared>;

class Recent {
 public:
  void keep(std::uint64_t cookie, SharedPrepared prepared, Time now);
  // Null when nothing is remembered of this socket, or when it may not be so any more: what counts is the same connection
  // with the same mark, its latch established, and nothing published since, neither by the kernel nor by an IKE daemon.
  [[nodiscard]] SharedPrepared find(const Core& core, const kernel::SocketFacts& socket, Time now) const;
  void expire(Time now);

 private:
  static constexpr std::size_t kLimit = 1024;
  static constexpr auto kLifetime = std::chrono::seconds(5);

  mutable std::mutex mutex_;
  Aging<std::uint64_t, SharedPrepared> prepared_{kLimit, kLifetime};  // by cookie
};

}  // namespace gssipsec::broker
