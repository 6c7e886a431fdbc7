// SPDX-License-Identifier: MIT
// The kernel's SPD and SAD kept in step: one dump, then the monitor's events, each written to the board as it comes and each
// change of the SPD to the history. Lost messages, or an event that does not fit, make it stale: dumped anew, at most every
// 200 ms; until then everything is "unknown". Where nothing was lost, the history goes on over the dump.
// Threads: the event thread only.
#pragma once

#include <functional>
#include <memory>

#include "broker/board.h"
#include "broker/changes.h"
#include "broker/history.h"
#include "broker/host.h"

namespace gssipsec::broker {

class Mirror {
 public:
  struct Listener {
    std::function<void(const Changes&)> changed;            // is on the board
    std::function<void()> policies_changed;                 // the SPD's epoch moved
    std::function<void()> unknown_sa;                       // an SA came that no source can have named yet
    std::function<void(const channel::SaId&)> replaced;     // this name means another SA from now on
    std::function<void(const kernel::Event&)> happened{};    // each event of the monitor, as it comes
    std::function<void(const base::Error&)> lost{};         // events are missing
  };

  Mirror(std::shared_ptr<Host> host, Board& board, History& history, Listener listener);

  // Opens both ports and dumps. An error leaves the mirror stale; retry by tick().
  [[nodiscard]] base::Status start();
  [[nodiscard]] int fd() const noexcept { return monitor_ ? monitor_->fd() : -1; }
  // Reads everything the monitor has. Call when fd() is readable.
  void drain();
  // Dumps anew when stale and the last dump is old enough. Returns how long until it should be called again.
  [[nodiscard]] Time::duration tick(Time now);
  [[nodiscard]] bool fresh() const noexcept { return state_ == State::fresh; }
  [[nodiscard]] const base::Error& last_error() const noexcept { return last_error_; }

  static constexpr auto kDumpInterval = std::chrono::milliseconds(200);

 private:
  enum class State : std::uint8_t {
    lost,      // events are missing
    doubtful,  // every event was seen, but what they led to is not known
    fresh,
  };
  void lose(base::Error why);
  void doubt(base::Error why);
  void leave_fresh(State state, base::Error why);
  [[nodiscard]] base::Status reopen();
  void forget_queued();
  bool take_queued(Time now);
  void take_datagram(base::View datagram, Time now);
  void take(const kernel::Event& event, Time now);
  [[nodiscard]] base::Status dump(Time now);
  [[nodiscard]] base::Result<kernel::Databases> read_quietly(Time now);
  void adopt(kernel::Databases databases, Time now);
  [[nodiscard]] channel::Arrival arrival_of(const channel::Sa& sa, const channel::Arrival& news);
  void arrive(const channel::SaId& id, bool replaces);
  void publish();

  std::shared_ptr<Host> host_;
  Board& board_;
  History& history_;
  Listener listener_;
  std::unique_ptr<kernel::NetlinkPort> monitor_, requests_;
  Changes changes_;  // not published yet
  std::uint64_t sequence_ = 0, published_epoch_ = 0;
  State state_ = State::lost;
  bool arrived_ = false;
  Time last_dump_{};
  base::Error last_error_;
};

}  // namespace gssipsec::broker
