// SPDX-License-Identifier: MIT
// Which latches a change may concern, at a cost that grows with those and not with all: by the reqids that their policies ask
// for, and by the two ends. Too many is possible, too few is not. Not thread-safe: its owner locks.
#pragma once

#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "broker/changes.h"
#include "channel/hash.h"

namespace gssipsec::broker {

class LatchIndex {
 public:
  using Key = std::uint64_t;  // cookie

  // Nobody has looked at it yet, or it could not be judged: it concerns everything, and wants a look soon.
  void put_unsettled(Key key, const channel::Flow& flow);
  // Its verdict rests on this.
  void put(Key key, const channel::Flow& flow, Footing footing);
  void remove(Key key);

  // Nothing: all of them.
  [[nodiscard]] std::optional<std::vector<Key>> concerned(const Changes& changes) const;
  [[nodiscard]] std::vector<Key> unsettled() const { return {unsettled_.begin(), unsettled_.end()}; }

 private:
  struct Entry {
    channel::Flow flow;
    Footing footing;
  };
  using Keys = std::unordered_set<Key>;
  void add(const Key& key, const channel::Flow& flow, Footing footing);
  void policies(const Changes& changes, Keys& found) const;

  std::unordered_map<Key, Entry> entries_;
  std::unordered_map<std::uint32_t, Keys, channel::Hash> by_reqid_;
  std::unordered_map<channel::AddressPair, Keys, channel::Hash> by_ends_;  // local, remote
  Keys of_any_sa_, unsettled_;
};

}  // namespace gssipsec::broker
