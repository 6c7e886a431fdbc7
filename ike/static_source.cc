// SPDX-License-Identifier: MIT
#include "ike/static_source.h"

#include <utility>

namespace gssipsec::ike {
namespace {

bool runs_between(const channel::Sa& sa, const channel::Address& a, const channel::Address& b) {
  return sa.source == a && sa.id.destination == b;
}

bool describes(const StaticEnds& rule, const channel::Sa& sa) {
  if (rule.reqid && *rule.reqid != sa.reqid) return false;
  return runs_between(sa, rule.local_address, rule.remote_address) || runs_between(sa, rule.remote_address, rule.local_address);
}

channel::PeerInfo peer_of(const StaticEnds& rule) {
  channel::PeerInfo peer;
  peer.local = rule.local;
  peer.remote = rule.remote;
  peer.local_method = peer.remote_method = channel::AuthMethod::manual;
  peer.remote_fixed = rule.exclusive;
  peer.negotiated = false;
  peer.source = "static";
  return peer;
}

// The word of the rules of one rank (with a reqid, or without) about an SA.
struct Word {
  std::optional<channel::PeerInfo> peer;
  bool contradicted = false;

  void hear(channel::PeerInfo said) {
    if (peer && !(*peer == said)) contradicted = true;
    peer = std::move(said);
  }
};

std::optional<channel::PeerInfo> said_of(const std::vector<StaticEnds>& rules, const channel::Sa& sa) {
  Word exact, loose;
  for (const StaticEnds& rule : rules)
    if (describes(rule, sa)) (rule.reqid ? exact : loose).hear(peer_of(rule));
  const Word& word = exact.peer ? exact : loose;
  return word.contradicted ? std::nullopt : word.peer;
}

}  // namespace

Peers peers_of(const std::vector<StaticEnds>& rules, const channel::Sad& sad) {
  Peers peers;
  if (rules.empty()) return peers;
  for (const channel::Sa& sa : sad.sas)
    if (auto peer = said_of(rules, sa)) peers.insert_or_assign(sa.id, std::move(*peer));
  return peers;
}

StaticSource::StaticSource(std::vector<StaticEnds> rules, SadReader read_sad)
    : rules_(std::move(rules)), read_sad_(std::move(read_sad)) {}

base::Result<Snapshot> StaticSource::refresh() {
  Snapshot snapshot;
  if (read_sad_)
    if (const auto sad = read_sad_()) snapshot.peers = peers_for(*sad);
  return snapshot;
}

}  // namespace gssipsec::ike
