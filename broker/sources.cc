// SPDX-License-Identifier: MIT
#include "broker/daemon.h"
#include "ike/static_source.h"

namespace gssipsec::broker {
namespace {

std::vector<ike::StaticEnds> ends_of(const std::vector<StaticRule>& rules) {
  std::vector<ike::StaticEnds> ends;
  for (const StaticRule& rule : rules)
    ends.push_back({rule.local, rule.remote, rule.local_address, rule.remote_address, rule.reqid, rule.exclusive});
  return ends;
}

}  // namespace

// IKE goes first: the administrator's word is for SAs that no daemon negotiated.
Sources open_sources(const Config& config, const Board& board) {
  Sources sources;
  if (!config.statics.empty())
    sources.push_back(std::make_unique<ike::StaticSource>(ends_of(config.statics), [&board] {
      const auto databases = board.current().databases;
      return std::shared_ptr<const channel::Sad>(databases, &databases->sad);
    }));
  return sources;
}

}  // namespace gssipsec::broker
