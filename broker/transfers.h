// SPDX-License-Identifier: MIT
// Contexts on their way from one process to another: for each a key, made here, that encrypts what the first process wrote,
// given to whoever passes the same socket, once. So a stored token is of no use to who does not hold the connection, and no
// two processes go on with one context (they would use one nonce for two messages). Nothing survives a restart.
// Threads: all functions from any thread; nothing blocks.
#pragma once

#include <chrono>
#include <map>
#include <mutex>

#include "base/result.h"
#include "base/secret.h"
#include "channel/assertion.h"

namespace gssipsec::broker {

class Transfers {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Begun {
    channel::Digest id;
    base::Secret key;
  };
  // LIMIT when this user has as many under way as one user may have.
  [[nodiscard]] base::Result<Begun> begin(std::uint64_t cookie, std::uint32_t uid, Time now);
  // BAD_TOKEN for an id that is not known, was used or is too old; SOCKET_CHANGED for one of another socket, which stays.
  [[nodiscard]] base::Result<base::Secret> take(const channel::Digest& id, std::uint64_t cookie, Time now);
  [[nodiscard]] std::size_t size() const;

  static constexpr auto kLifetime = std::chrono::minutes(10);
  static constexpr std::size_t kPerUser = 256;

 private:
  struct Entry {
    std::uint64_t cookie;
    std::uint32_t uid;
    base::Secret key;
    Time made;
  };
  void expire(Time now);

  mutable std::mutex mutex_;
  std::map<channel::Digest, Entry> under_way_;
};

}  // namespace gssipsec::broker
