// SPDX-License-Identifier: MIT
// What all requests share. Lives as long as the last worker that may still be stuck in one (shared). Every member is
// safe to use from any thread.
#pragma once

#include <memory>
#include <mutex>

#include "broker/board.h"
#include "broker/bound.h"
#include "broker/census.h"
#include "broker/config.h"
#include "broker/endpoints.h"
#include "broker/exporters.h"
#include "broker/history.h"
#include "broker/host.h"
#include "broker/latches.h"
#include "broker/metrics.h"
#include "broker/names.h"
#include "broker/own_policies.h"
#include "broker/subscriptions.h"
#include "broker/transfers.h"
#include "broker/turns.h"

namespace gssipsec::broker {

// Nanoseconds since 1970.
[[nodiscard]] std::uint64_t realtime() noexcept;

struct Core {
  Core(std::shared_ptr<Host> the_host, Config the_config);

  [[nodiscard]] std::shared_ptr<const Config> config() const;
  void set_config(Config config);

  const std::shared_ptr<Host> host;
  const std::uint64_t started = realtime();
  Board board;
  History history;
  Latches latches;
  OwnPolicies own_policies;
  Endpoints endpoints;
  Turns turns;  // of what sets or removes kernel latches
  Transfers transfers;
  Subscriptions subscriptions{latches};
  Metrics metrics;
  Exporters exporters;
  Names names;
  Census census;
  BoundSockets bound;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Config> config_;
};

// 32 octets of getrandom(2). Throws std::runtime_error when the kernel gives none.
[[nodiscard]] channel::Digest random_digest();

}  // namespace gssipsec::broker
