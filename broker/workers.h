// SPDX-License-Identifier: MIT
// The threads that touch what clients passed. A client can make any call on his descriptor hang, unkillably; so a
// worker that does not come back is abandoned and replaced, and stays counted against its user until it ends. One user
// never holds more than his share of workers; what exceeds it waits in his own queue. Jobs own what they touch and
// never outlive the pool's state (shared), but may outlive the pool object itself when they are stuck.
// Threads: submit(), tick() and stop() in the event thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "broker/host.h"

namespace gssipsec::broker {

// What one worker thread owns for its jobs. Not shared.
class Bench {
 public:
  explicit Bench(Host& host) : host_(host) {}
  // This thread's XFRM request port, opened when first used; dropped after a failure.
  [[nodiscard]] base::Result<kernel::NetlinkPort*> xfrm();
  void drop_xfrm() { port_.reset(); }

  // Asked by a job that could go on with another request of the same client: true when nobody waits for this worker and
  // its user has more than this one left. The time until it counts as stuck begins anew.
  [[nodiscard]] bool may_go_on() { return go_on_ && go_on_(); }
  void on_go_on(std::function<bool()> go_on) { go_on_ = std::move(go_on); }

 private:
  std::function<bool()> go_on_;
  Host& host_;
  std::unique_ptr<kernel::NetlinkPort> port_;
};

using Job = std::function<void(Bench&)>;
using Clock = std::chrono::steady_clock;

struct WorkerLimits {
  std::uint32_t workers = 8, per_user = 2;
  Clock::duration stuck_after = std::chrono::seconds(3);
};

class Workers {
 public:
  // `host` must outlive every job, abandoned ones included: shared.
  Workers(std::shared_ptr<Host> host, WorkerLimits limits);
  ~Workers();  // stop()
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void submit(std::uint32_t uid, Job job);
  // Abandons and replaces workers that are stuck; call it about every 250 ms. How many were abandoned now.
  std::size_t tick(Clock::time_point now);
  // Ends idle workers and waits for those that work, but not for abandoned ones; jobs that were not begun are dropped.
  void stop();

  // For the figures and tests.
  [[nodiscard]] std::size_t abandoned() const;
  [[nodiscard]] std::size_t running(std::uint32_t uid) const;
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace gssipsec::broker
