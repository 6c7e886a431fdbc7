// SPDX-License-Identifier: MIT
// What the broker knows now: the kernel's databases, written by the event thread, and the IKE sources' peers, written by the
// IKE thread; read by everybody. A reader gets a View of one flow: copies of what can matter to it, consistent, made under
// a lock that is held for that long only. A reader may wait for the next change. Threads: all functions from any thread;
// nothing is called back under the lock but what says so.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "channel/identity.h"
#include "ike/source.h"
#include "kernel/xfrm_mirror.h"

namespace gssipsec::broker {

using Time = std::chrono::steady_clock::time_point;
[[nodiscard]] inline Time now() noexcept { return std::chrono::steady_clock::now(); }

// SPIs are reused: an IKE source's word about an SA counts only if the source was asked after that SA appeared.
using channel::Arrival;
using Arrivals = std::map<channel::SaId, Arrival>;

struct SourceState {
  std::string name;
  bool healthy = false;                             // its last refresh succeeded
  std::uint64_t asked = 0;                          // every SA that arrived up to here had arrived when it was last asked
  std::uint64_t answered = 0;                       // the same, of its last success: `snapshot`
  std::shared_ptr<const ike::Snapshot> snapshot;    // kept while the source is away, and while it says the same; never null
  bool operator==(const SourceState&) const = default;
};

// All but the databases.
struct Outline {
  bool fresh = false;                // the mirror is in step
  std::uint64_t epoch = 0;           // of the SPD: see history.h
  std::uint64_t arrivals_seen = 0;   // sequence of the newest arrival
  std::vector<SourceState> sources;  // in order of precedence
  std::uint64_t version = 0;         // counts publications
};

struct View : Outline {
  std::shared_ptr<const kernel::Databases> databases;  // what matters to the flow; never null
  bool cut = false;                                    // more matters than anybody looks at
  bool asked = false;                                  // read from the kernel for one question: of what was before it says nothing
  Arrivals arrivals;                                   // of its SAs

  // The peer of an SA that has this name now. Nothing when no source knows it, or only knew a former SA of this name; or one may yet
  // name it, and would go before those that do.
  [[nodiscard]] std::optional<channel::PeerInfo> peer_of(const channel::SaId& id, Time now) const;
  // Asking again soon may tell more: an SA is younger than a source's last answer, or so young that the daemon may not have named it yet.
  [[nodiscard]] bool peer_may_come(const channel::SaId& id, Time now) const;
};

// What of the databases can matter to the flow.
[[nodiscard]] View view_of(const Outline& outline, const kernel::Tables& tables, const channel::Flow& flow);

class Board {
 public:
  [[nodiscard]] Outline outline() const;
  [[nodiscard]] std::uint64_t version() const;
  [[nodiscard]] View look(const channel::Flow& flow) const;
  // Returns when there is something newer than `version`, or when `deadline` has passed.
  void wait_newer(std::uint64_t version, Time deadline) const;

  [[nodiscard]] bool has_templates() const;  // any policy asks for IPsec
  [[nodiscard]] channel::Sad between(const std::vector<channel::AddressPair>& ends) const;
  // Under the lock: `visit` must be short and ask nothing of the board.
  void read(const std::function<void(const kernel::Tables&)>& visit) const;

  // The event thread only. `edit` works under the lock and must ask nothing of the board; what it does to the SPD has the
  // epoch that it returns from then on.
  using Edit = std::function<std::uint64_t(kernel::Tables&, std::uint64_t epoch)>;
  void edit(const Edit& edit);
  void publish(bool fresh, std::uint64_t arrivals_seen);  // wakes who waits
  void set_stale();
  // What the event thread itself wrote.
  [[nodiscard]] const kernel::Tables& tables() const noexcept { return tables_; }

  void publish_sources(std::vector<SourceState> sources);

  // Rings the IKE thread: somebody met an SA without a peer.
  void set_refresh_bell(std::function<void()> bell);  // before threads start
  void ask_refresh() const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  Outline outline_;
  kernel::Tables tables_;
  std::function<void()> bell_;
};

}  // namespace gssipsec::broker
