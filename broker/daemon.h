// SPDX-License-Identifier: MIT
// The broker put together: event loop, mirror, IKE thread, workers, clients. Threads: run() makes the calling thread the
// event thread.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/unique_fd.h"
#include "broker/board.h"
#include "broker/config.h"
#include "broker/host.h"
#include "ike/vici_source.h"

namespace gssipsec::broker {

using Sources = std::vector<std::unique_ptr<ike::Source>>;

struct DaemonSetup {
  std::shared_ptr<Host> host;
  Config config;
  base::UniqueFd listener;
  std::function<Sources(const Config&, const Board&)> open_sources;
  std::function<base::Result<Config>()> reload;  // SIGHUP
};

// The sources of the configuration: vici, then the administrator's static lines.
// `memory`: the same each time.
[[nodiscard]] Sources open_sources(const Config& config, const Board& board, const std::shared_ptr<ike::ViciMemory>& memory);

// Serves until SIGTERM or SIGINT (which the caller has blocked, and SIGHUP). An error when it could not begin.
[[nodiscard]] base::Status run(DaemonSetup setup);

}  // namespace gssipsec::broker
