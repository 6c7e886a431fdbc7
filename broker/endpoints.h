// SPDX-License-Identifier: MIT
// What endpoint descriptors stand for. A value is 32 bits of chance, because a sockaddr_ed has room for no more; so it grants nothing to
// who guesses it: each is for its maker's user, and for others only where root made it so. Nothing survives a restart.
// Threads: all functions from any thread; nothing blocks.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <utility>

#include "protocol/messages.h"

namespace gssipsec::broker {

// Who makes one, or uses it.
struct EndpointUser {
  std::uint32_t uid = ~0U;
  std::span<const std::uint32_t> groups{};  // his own first
};

class Endpoints {
 public:
  // The value of it, which is the same as long as it is the same. The oldest of a user's of one kind goes where he has more than
  // kPerUser, and the oldest of who but root has most where there are more than kTotal. `chance` gives the values; those of wildcards and those that are taken are passed over.
  [[nodiscard]] std::uint32_t add(const EndpointUser& maker, protocol::EndpointRequest what, const std::function<std::uint32_t()>& chance);
  // NO_ENDPOINT, also for another user's.
  [[nodiscard]] base::Result<protocol::Endpoint> find(std::uint32_t value, const EndpointUser& user) const;

  static constexpr std::size_t kPerUser = 1024, kTotal = 16384;  // some 1.5 KiB each, at most
  static constexpr std::uint32_t kWildcards = 0xffffff00;  // from here on; 0 is none either

 private:
  struct Entry {
    std::uint32_t uid, group;
    protocol::EndpointRequest what;
    std::uint64_t number;  // in the order of making
  };
  using Ages = std::map<std::uint64_t, std::uint32_t>;  // values, the oldest first
  // Peers' and this end's apart: a server names each of its clients, and would forget where it listens.
  struct Shelf {
    std::uint32_t uid;
    bool local;
    auto operator<=>(const Shelf&) const = default;
  };

  [[nodiscard]] std::uint32_t same_as(const Shelf& shelf, const Entry& wanted) const;
  void make_room(const Shelf& shelf);
  void put(std::uint32_t value, Entry entry);
  void forget(std::uint32_t value);
  void count(const Shelf& shelf, std::size_t before, std::size_t after);

  mutable std::mutex mutex_;
  std::map<std::uint32_t, Entry> entries_;
  std::map<Shelf, Ages> shelves_;
  std::set<std::pair<std::size_t, Shelf>> fullest_;  // not root's
  std::size_t not_roots_ = 0;
  std::uint64_t made_ = 0;
};

}  // namespace gssipsec::broker
