// SPDX-License-Identifier: MIT
#include "broker/statement.h"

#include "broker/latches.h"

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;
using protocol::LatchStatement;

base::Result<channel::Identity> identity_from(const std::string& text) {
  return text.empty() ? base::Result<channel::Identity>(channel::Identity{}) : channel::parse_identity(text);
}

base::Result<channel::PeerInfo> peer_from(const LatchStatement& said) {
  channel::PeerInfo peer;
  auto local = identity_from(said.local_id), remote = identity_from(said.peer_id);
  if (!local) return local.error();
  if (!remote) return remote.error();
  peer.local = *std::move(local);
  peer.remote = *std::move(remote);
  peer.local_method = said.local_method;
  peer.remote_method = said.peer_method;
  peer.remote_fixed = said.peer_fixed;
  peer.negotiated = said.negotiated;
  peer.ike_sa = said.ike_sa;
  peer.source = said.source;
  return peer;
}

channel::Quality quality_from(const LatchStatement& said) {
  channel::Quality quality;
  quality.integrity = said.integrity;
  quality.confidentiality = said.confidentiality;
  quality.replay_protection = said.replay_protection;
  quality.key_bits = said.key_bits;
  quality.suite = said.suite;
  quality.known = true;
  return quality;
}

base::Status same_as(const LatchStatement& said, const channel::PeerInfo& peer, const LatchParameters& now, std::uint64_t life) {
  if ((pinned(peer) || pinned(now.peer)) && said.broker != life)
    return fail(Code::LATCH_BROKEN, "the broker was restarted, and without an authenticated peer nothing says whose SAs these are");
  // Templates are between kernel and broker: those of the present SAs stand for both.
  return congruent({peer, said.mode, quality_from(said), now.out, now.in, now.arrivals}, now);
}

}  // namespace

LatchStatement statement_of(const LatchParameters& latched, const channel::Flow& flow, std::uint64_t life) {
  LatchStatement said;
  said.broker = life;
  said.flow = flow;
  said.local_id = format(latched.peer.local);
  said.peer_id = format(latched.peer.remote);
  said.local_method = latched.peer.local_method;
  said.peer_method = latched.peer.remote_method;
  said.peer_fixed = latched.peer.remote_fixed;
  said.negotiated = latched.peer.negotiated;
  said.ike_sa = latched.peer.ike_sa;
  said.source = latched.peer.source;
  said.mode = latched.mode;
  said.integrity = latched.quality.integrity;
  said.confidentiality = latched.quality.confidentiality;
  said.replay_protection = latched.quality.replay_protection;
  said.key_bits = latched.quality.key_bits;
  said.suite = latched.quality.suite;
  return said;
}

base::Status agrees(base::View statement, const channel::Flow& flow, const LatchParameters& now, std::uint64_t life) {
  const auto said = protocol::decode_latch_statement(statement);
  if (!said || said->version != LatchStatement().version)
    return fail(Code::LATCH_BROKEN, "wanted the statement that came with the context, found " +
                                        std::string(statement.empty() ? "none" : said ? "one of another version" : "one that cannot be read"));
  if (!same_connection(said->flow, flow)) return fail(Code::LATCH_BROKEN, "latched as " + format(said->flow) + ", found " + format(flow));
  const auto peer = peer_from(*said);
  if (!peer) return fail(Code::LATCH_BROKEN, describe(peer.error()));
  return same_as(*said, *peer, now, life);
}

}  // namespace gssipsec::broker
