// SPDX-License-Identifier: MIT
// What all requests share. Lives as long as the last worker that may still be stuck in one (shared). Every member is
// safe to use from any thread.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "broker/board.h"
#include "broker/census.h"
#include "broker/config.h"
#include "broker/exporters.h"
#include "broker/history.h"
#include "broker/host.h"
#include "broker/latches.h"
#include "broker/metrics.h"
#include "broker/names.h"
#include "broker/subscriptions.h"
#include "broker/transfers.h"
#include "broker/windows.h"

namespace gssipsec::broker {

// Never repeats, also not over a restart of the broker: the clock, and one more when that stands still.
class Counter {
 public:
  [[nodiscard]] std::uint64_t next() noexcept { return next(realtime()); }
  [[nodiscard]] std::uint64_t next(std::uint64_t clock) noexcept;
  [[nodiscard]] static std::uint64_t realtime() noexcept;  // nanoseconds since 1970

 private:
  std::atomic<std::uint64_t> last_ = 0;
};

struct Core {
  Core(std::shared_ptr<Host> the_host, Config the_config);

  [[nodiscard]] std::shared_ptr<const Config> config() const;
  void set_config(Config config);

  const std::shared_ptr<Host> host;
  const std::uint64_t started = Counter::realtime();
  Board board;
  History history;
  Latches latches;
  Subscriptions subscriptions{latches};
  Metrics metrics;
  Exporters exporters;
  Windows windows;
  Transfers transfers;
  Names names;
  Counter counter;
  // SAs that were there before this broker: others may have seen their tokens.
  void note_elders();  // all on the board
  void set_elders(std::shared_ptr<const std::vector<channel::SaId>> elders);  // sorted
  [[nodiscard]] bool has_elders() const;
  [[nodiscard]] bool elder(const channel::SaId& id) const;
  Census census;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Config> config_;
  std::shared_ptr<const std::vector<channel::SaId>> elders_;
};

// 32 octets of getrandom(2). Throws std::runtime_error when the kernel gives none.
[[nodiscard]] channel::Digest random_digest();

}  // namespace gssipsec::broker
