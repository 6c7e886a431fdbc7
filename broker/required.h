// SPDX-License-Identifier: MIT
// The sockets that REQUIRE gave a policy before they were connected: a latch that fails or goes must leave them with one. By
// cookie, which the kernel gives once and in order, so that a socket that is gone harms nobody. Threads: any.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>

#include "base/result.h"

namespace gssipsec::broker {

class Required {
 public:
  // What root asked for no other user moves: LATCH_OF_OTHER.
  [[nodiscard]] base::Status may_add(std::uint64_t cookie, std::uint32_t uid) const;
  // The oldest of this user's goes where he has more than `most`.
  void add(std::uint64_t cookie, std::uint32_t uid, std::uint32_t most);
  [[nodiscard]] bool contains(std::uint64_t cookie) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::uint32_t> sockets_;  // who asked
};

}  // namespace gssipsec::broker
