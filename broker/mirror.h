// SPDX-License-Identifier: MIT
// The kernel's SPD and SAD kept in step: one dump, then the monitor's events. Lost messages, or an event that does not
// fit, make it stale: dumped anew, at most every 200 ms; until then everything is "unknown". Publishes whole snapshots
// to the board and every change of the SPD to the history. Threads: the event thread only.
#pragma once

#include <functional>
#include <memory>

#include "broker/board.h"
#include "broker/history.h"
#include "broker/host.h"

namespace gssipsec::broker {

// What of the SPD the event takes and brings, seen from the state before it; `after` is the state with the event applied.
[[nodiscard]] SpdChange change_of(const kernel::Event& event, const channel::Spd& before, const channel::Spd& after);
// Whether the event touches the SPD at all.
[[nodiscard]] bool touches_spd(const kernel::Event& event) noexcept;

class Mirror {
 public:
  struct Listener {
    std::function<void()> changed;                          // a new snapshot is on the board
    std::function<void()> policies_changed;                 // the SPD's epoch moved
    std::function<void()> unknown_sa;                       // an SA came that no source can have named yet
    std::function<void(const channel::SaId&)> replaced;     // this name means another SA from now on
  };

  Mirror(std::shared_ptr<Host> host, Board& board, History& history, Listener listener);

  // Opens both ports and dumps. An error leaves the mirror stale; retry by tick().
  [[nodiscard]] base::Status start();
  [[nodiscard]] int fd() const noexcept { return monitor_ ? monitor_->fd() : -1; }
  // Reads everything the monitor has. Call when fd() is readable.
  void drain();
  // Dumps anew when stale and the last dump is old enough. Returns how long until it should be called again.
  [[nodiscard]] Time::duration tick(Time now);
  [[nodiscard]] bool fresh() const noexcept { return fresh_; }
  [[nodiscard]] const base::Error& last_error() const noexcept { return last_error_; }

  static constexpr auto kDumpInterval = std::chrono::milliseconds(200);

 private:
  void lose(base::Error why);
  [[nodiscard]] base::Status dump(Time now);
  [[nodiscard]] base::Status reopen();
  bool take(const kernel::Event& event, Time now);
  void note_arrival(const kernel::SaAdded& event, Time now);
  void arrive(const channel::SaId& id, bool replaces, Time now);
  void forget_old_arrivals(Time now);
  void publish();

  std::shared_ptr<Host> host_;
  Board& board_;
  History& history_;
  Listener listener_;
  std::unique_ptr<kernel::NetlinkPort> monitor_, requests_;
  kernel::Databases databases_;
  Arrivals arrivals_;
  std::uint64_t sequence_ = 0, epoch_ = 1;
  bool fresh_ = false, dumped_once_ = false, arrived_ = false;
  Time last_dump_{};
  base::Error last_error_;
};

}  // namespace gssipsec::broker
