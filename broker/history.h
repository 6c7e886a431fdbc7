// SPDX-License-Identifier: MIT
// "Protected since the connection began" (docs/decisions/0001-since-start.md): what the SPD was, backwards from now, and
// which sockets were already there when. Each change of the SPD gets the next epoch; each list of sockets (sock_diag)
// remembers the epoch that was in force before it was asked for. A connection whose cookie was absent from a list of
// epoch E began after E; so only the changes after E matter to it. Bounded: what is forgotten counts as "in clear".
// Threads: all functions from any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "broker/board.h"
#include "channel/resolver.h"

namespace gssipsec::broker {

// One atomic change: what went and what came (an update is both).
struct SpdChange {
  std::vector<channel::Policy> removed, added;
};

// True when the change cannot matter to anybody: the kernel's "refresh" of a policy with the same content.
[[nodiscard]] bool immaterial(const SpdChange& change);

// How far the protection of `flow` reaches back: the smallest epoch such that in it and ever since both directions had
// the policy that they have now, or a blocking one. Pure. `changes` ascending; `floor`: nothing is known before it.
struct EpochChange {
  std::uint64_t epoch = 0;
  SpdChange change;
};
[[nodiscard]] std::uint64_t protected_from(const channel::Flow& flow, const channel::Spd& now, std::uint64_t now_epoch,
                                           const std::deque<EpochChange>& changes, std::uint64_t floor);

class History {
 public:
  explicit History(std::size_t max_changes = 4096) : max_changes_(max_changes) {}

  // The event thread, for each change before it publishes the SPD that has it. The new epoch (or the old one, when immaterial).
  std::uint64_t changed(SpdChange change);
  // The databases were lost and dumped anew, or a default changed: nothing before is known.
  std::uint64_t reset();
  [[nodiscard]] std::uint64_t epoch() const;

  // A list of sockets: begin before asking, end with what came. Only `protocol`.
  [[nodiscard]] std::uint64_t begin_list() const { return epoch(); }
  void end_list(std::uint16_t protocol, std::uint64_t begun, const std::vector<std::uint64_t>& cookies);
  // Waits until lists of `protocol` are as new as `epoch`.
  void wait_list(std::uint16_t protocol, std::uint64_t epoch, Time deadline) const;

  [[nodiscard]] bool since_start(std::uint64_t cookie, const channel::Flow& flow, const channel::Spd& spd, std::uint64_t spd_epoch) const;
  [[nodiscard]] bool listed(std::uint16_t protocol, std::uint64_t cookie) const;  // in the newest list
  [[nodiscard]] std::size_t remembered() const;

 private:
  struct List {
    std::uint64_t epoch = 0;  // 0: none yet
    std::unordered_map<std::uint64_t, std::uint64_t> absent_at;  // cookie -> newest epoch at which it was not there
  };
  [[nodiscard]] std::uint64_t absent(std::uint16_t protocol, std::uint64_t cookie) const;

  const std::size_t max_changes_;
  mutable std::mutex mutex_;
  mutable std::condition_variable listed_;
  std::uint64_t epoch_ = 1, floor_ = 1;
  std::deque<EpochChange> changes_;
  std::unordered_map<std::uint16_t, List> lists_;
};

}  // namespace gssipsec::broker
