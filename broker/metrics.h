// SPDX-License-Identifier: MIT
// The broker's figures: counted where things happen, shown in Prometheus' text format by METRICS and in a file. No names, no
// addresses, no SPIs. Threads: the figures and render() from any; write_file() in a worker, for it may block.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "broker/board.h"
#include "protocol/events.h"

namespace gssipsec::broker {

using Figure = std::atomic<std::uint64_t>;

struct Metrics {
  static constexpr std::size_t kVerbs = static_cast<std::size_t>(protocol::kLastVerb) + 1;

  void count(protocol::Verb verb, base::Code outcome) noexcept;

  // Since the start.
  std::array<Figure, kVerbs> answered{}, refused{};
  Figure events_sent = 0, events_dropped = 0, connections = 0, connections_refused = 0, busy = 0, stuck = 0;
  Figure mirror_lost = 0, kernel_asked = 0, netlink_foreign = 0, latches_broken = 0, reloads = 0, reloads_failed = 0;
  // Now.
  Figure clients = 0, subscriptions = 0, latches = 0, sas = 0, mirror_fresh = 0, workers_stuck = 0, jobs_waiting = 0;
  Figure policies = 0, policies_blocking = 0, policies_without_reqid = 0;
};

// The last three anew.
void count_policies(const channel::SpdIndex& spd, Metrics& metrics);

[[nodiscard]] std::string render(const Metrics& metrics, std::uint64_t started, const std::vector<SourceState>& sources);

// Atomically: whoever reads sees the former contents or all of the new ones. SYSTEM.
[[nodiscard]] base::Status write_file(const std::string& path, const std::string& text);

}  // namespace gssipsec::broker
