// SPDX-License-Identifier: MIT
#include <algorithm>

#include "broker/daemon.h"
#include "broker/log.h"
#include "ike/static_source.h"

namespace gssipsec::broker {
namespace {

// Both directions of each rule, once.
std::vector<channel::AddressPair> ends_of(const std::vector<ike::StaticEnds>& rules) {
  std::vector<channel::AddressPair> ends;
  for (const ike::StaticEnds& rule : rules) {
    ends.push_back({rule.local_address, rule.remote_address});
    ends.push_back({rule.remote_address, rule.local_address});
  }
  std::ranges::sort(ends);
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
  return ends;
}

}  // namespace

// IKE goes first: the administrator's word is for SAs that no daemon negotiated.
Sources open_sources(const Config& config, const Board& board, const std::shared_ptr<ike::ViciMemory>& memory) {
  Sources sources;
  const auto vici = ike::vici_options(config.vici, config.vici_owner);
  if (!vici)
    log(Level::error, "no IKE daemon is asked: " + describe(vici.error()));
  else if (!vici->paths.empty())
    sources.push_back(std::make_unique<ike::ViciSource>(*vici, memory));
  if (!config.statics.empty())
    sources.push_back(std::make_unique<ike::StaticSource>(static_ends(config), [&board, ends = ends_of(static_ends(config))] {
      return std::make_shared<const channel::Sad>(board.between(ends));
    }));
  return sources;
}

}  // namespace gssipsec::broker
