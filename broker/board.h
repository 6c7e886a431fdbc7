// SPDX-License-Identifier: MIT
// What the broker knows now: one immutable View of the kernel's databases and of the IKE sources' peers, replaced whole
// by its writers (event thread: databases; IKE thread: peers) and read by everybody. A reader may wait for the next
// one. Threads: all functions from any thread; nothing is called back under the lock.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "channel/identity.h"
#include "ike/source.h"
#include "kernel/xfrm.h"

namespace gssipsec::broker {

using Time = std::chrono::steady_clock::time_point;

// When an SA came into the mirror. SPIs are reused: an IKE source's word about an SA counts only if the source was
// asked after that SA appeared.
struct Arrival {
  std::uint64_t sequence = 0;  // View::arrivals_seen when it came
  Time when{};
};
using Arrivals = std::map<channel::SaId, Arrival>;

struct SourceState {
  std::string name;
  bool healthy = false;                             // its last refresh succeeded
  std::uint64_t asked = 0;                          // every SA that arrived up to here had arrived when it was last asked
  std::uint64_t answered = 0;                       // the same, of its last success: `snapshot`
  std::shared_ptr<const ike::Snapshot> snapshot;    // kept while the source is away; never null
};

struct View {
  std::shared_ptr<const kernel::Databases> databases;  // never null
  bool fresh = false;                                  // the mirror is in step
  std::uint64_t epoch = 0;                             // of the SPD: see history.h
  std::shared_ptr<const Arrivals> arrivals;            // recent ones only; never null
  std::uint64_t arrivals_seen = 0;                     // sequence of the newest arrival
  std::vector<SourceState> sources;                    // in order of precedence
  std::uint64_t version = 0;                           // counts publications

  // The peer of an SA that has this name now. Nothing when no source knows it, or only knew a former SA of this name.
  [[nodiscard]] std::optional<channel::PeerInfo> peer_of(const channel::SaId& id) const;
  // Asking again soon may tell more: an SA is younger than a source's last answer, or so young that the daemon may not have named it yet.
  [[nodiscard]] bool peer_may_come(const channel::SaId& id, Time now) const;
};

class Board {
 public:
  Board();
  [[nodiscard]] View current() const;
  // A view newer than `version`, or the newest one when `deadline` has passed.
  [[nodiscard]] View newer_than(std::uint64_t version, Time deadline) const;

  void publish_databases(std::shared_ptr<const kernel::Databases> databases, bool fresh, std::uint64_t epoch,
                         std::shared_ptr<const Arrivals> arrivals, std::uint64_t arrivals_seen);
  void set_stale();
  void publish_sources(std::vector<SourceState> sources);

  // Rings the IKE thread: somebody met an SA without a peer.
  void set_refresh_bell(std::function<void()> bell);  // before threads start
  void ask_refresh() const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  View view_;
  std::function<void()> bell_;
};

}  // namespace gssipsec::broker
