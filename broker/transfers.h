// SPDX-License-Identifier: MIT
// Contexts on their way from one process to another: for each a key, made here, that encrypts what the first process wrote,
// given once, to the same user, for the same socket. So a stored token is of no use to who does not hold the connection, and no
// two processes go on with one context (they would use one nonce for two messages). Nothing survives a restart.
// Threads: all functions from any thread; nothing blocks.
#pragma once

#include <map>
#include <mutex>

#include "base/secret.h"
#include "broker/board.h"
#include "broker/latch_rules.h"

namespace gssipsec::broker {

// Whose context it is.
struct Holder {
  std::uint64_t cookie = 0;
  std::uint32_t uid = ~0U;
};

class Transfers {
 public:
  struct Begun {
    channel::Digest id;
    base::Secret key;
  };
  // `latched`: what the context rests on now. LIMIT when this user has as many under way as one user may have.
  [[nodiscard]] base::Result<Begun> begin(const Holder& holder, LatchParameters latched, Time when);
  // What the context rested on when it left. BAD_TOKEN for an id that was never given to this user, was used or is too old;
  // SOCKET_CHANGED for one of another socket.
  [[nodiscard]] base::Result<LatchParameters> latched(const channel::Digest& id, const Holder& holder, Time when);
  // The same failures; afterwards the id is not known any more.
  [[nodiscard]] base::Result<base::Secret> take(const channel::Digest& id, const Holder& holder, Time when);
  [[nodiscard]] std::size_t size() const;

  static constexpr auto kLifetime = std::chrono::minutes(10);
  static constexpr std::size_t kPerUser = 256;

 private:
  struct Entry {
    Holder holder;
    base::Secret key;
    LatchParameters latched;
    Time made;
  };
  using Entries = std::map<channel::Digest, Entry>;
  [[nodiscard]] base::Result<Entries::iterator> find(const channel::Digest& id, const Holder& holder, Time when);
  void expire(Time when);

  mutable std::mutex mutex_;
  Entries under_way_;
};

}  // namespace gssipsec::broker
