// SPDX-License-Identifier: MIT
// The kernel's SPD and SAD kept in step: one dump, then the monitor's events, each written to the board as it comes and each
// change of the SPD to the history. Lost messages, an event that does not fit, or counts that are not the kernel's make it
// stale: dumped anew, at most every 200 ms; until then everything is "unknown". Where nothing was lost, the history goes on
// over the dump. SAs, of which there may be many, are read a few milliseconds at a time: the event thread has clients, too.
// What is tried instead of asking the kernel for one flow: docs/decisions/0008-stale-mirror.md.
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
    std::function<void(const Changes&)> changed{};            // is on the board
    std::function<void()> policies_changed{};                 // the SPD's epoch moved
    std::function<void()> unknown_sa{};                       // an SA came that no source can have named yet
    std::function<void(const channel::SaId&)> replaced{};     // this name means another SA from now on
    std::function<void(const kernel::Event&)> happened{};    // each event of the monitor, as it comes
    std::function<void(const base::Error&)> lost{};         // events are missing
  };

  Mirror(std::shared_ptr<Host> host, Board& board, History& history, Listener listener);

  // Opens both ports and dumps, however long it takes. An error leaves the mirror stale; retry by tick().
  [[nodiscard]] base::Status start();
  [[nodiscard]] int fd() const noexcept { return monitor_ ? monitor_->fd() : -1; }
  // Reads everything the monitor has. Call when fd() is readable.
  void drain();
  // Dumps anew when stale and the last dump is old enough, or goes on with it. Returns how long until it should be called
  // again: at once, while SAs are being read.
  [[nodiscard]] Time::duration tick(Time now);
  // Compares counts with the kernel's, where nothing else tells of a message that was lost without a word. Call it every second.
  void audit(Time now);
  [[nodiscard]] bool fresh() const noexcept { return state_ == State::fresh; }
  [[nodiscard]] const base::Error& last_error() const noexcept { return last_error_; }
  // Datagrams that a process sent where the kernel should.
  [[nodiscard]] std::uint64_t foreign() const noexcept { return foreign_before_ + (monitor_ ? monitor_->foreign() : 0); }

  static constexpr auto kDumpInterval = std::chrono::milliseconds(200);
  static constexpr std::size_t kMostHeld = 65536;  // events of SAs while SAs are read

 private:
  enum class State : std::uint8_t {
    lost,      // events are missing
    doubtful,  // every event was seen, but what they led to is not known
    reading,   // the SPD is in step, SAs are being read
    fresh,
  };
  // SAs read anew. What the monitor says of SAs meanwhile is held back: it is newer than some of them, and what the dump
  // shows already either changes nothing or does not fit, and then it is read once more.
  struct Reading {
    channel::SadIndex sad;
    std::vector<kernel::Event> held;
    std::unique_ptr<kernel::SadDump> dump;
  };
  void lose(base::Error why);
  void doubt(base::Error why);
  void leave_fresh(State state, base::Error why);
  [[nodiscard]] base::Status reopen();
  void close_monitor();
  [[nodiscard]] base::Status forget_queued();
  bool take_queued(Time now);
  void take_datagram(base::View datagram, Time now);
  void take(const kernel::Event& event, Time now);
  void hold(const kernel::Event& event);
  void apply(const kernel::Event& event, Time now);
  [[nodiscard]] base::Status begin(Time now);
  [[nodiscard]] base::Result<channel::Spd> read_quietly(Time now);
  [[nodiscard]] base::Result<channel::Spd> read_behind_loss();
  void adopt(channel::Spd spd);
  [[nodiscard]] base::Status begin_sas(Time now);
  [[nodiscard]] base::Result<bool> go_on(Time::duration budget);
  void finish();
  void give_up(const base::Error& why);
  [[nodiscard]] channel::Arrival arrival_of(const channel::Sa& sa, const channel::Arrival& news);
  void arrive(const channel::SaId& id, bool replaces);
  void publish();

  std::shared_ptr<Host> host_;
  Board& board_;
  History& history_;
  Listener listener_;
  std::unique_ptr<kernel::NetlinkPort> monitor_, requests_;
  std::unique_ptr<Reading> reading_;  // uses requests_
  Changes changes_;  // not published yet
  std::uint64_t sequence_ = 0, published_epoch_ = 0;
  State state_ = State::lost;
  bool arrived_ = false;
  std::uint64_t foreign_before_ = 0;
  std::optional<std::pair<std::uint64_t, std::uint64_t>> odd_counts_;  // seen once, and no message since
  std::optional<std::pair<std::uint64_t, std::uint64_t>> uncured_;     // for which all was read anew
  Time last_dump_{};
  base::Error last_error_;
};

}  // namespace gssipsec::broker
