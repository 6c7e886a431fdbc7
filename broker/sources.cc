// SPDX-License-Identifier: MIT
#include "broker/daemon.h"
#include "broker/log.h"
#include "ike/static_source.h"
#include "ike/vici_source.h"

namespace gssipsec::broker {

// IKE goes first: the administrator's word is for SAs that no daemon negotiated.
Sources open_sources(const Config& config, const Board& board) {
  Sources sources;
  const auto vici = ike::vici_options(config.vici, config.vici_owner);
  if (!vici)
    log(Level::error, "no IKE daemon is asked: " + describe(vici.error()));
  else if (!vici->paths.empty())
    sources.push_back(std::make_unique<ike::ViciSource>(*vici));
  if (!config.statics.empty())
    sources.push_back(std::make_unique<ike::StaticSource>(static_ends(config), [&board] {
      const auto databases = board.current().databases;
      return std::shared_ptr<const channel::Sad>(databases, &databases->sad);
    }));
  return sources;
}

}  // namespace gssipsec::broker
