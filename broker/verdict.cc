// SPDX-License-Identifier: MIT
#include "broker/verdict.h"

#include <algorithm>

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;

// Joins one direction's carriers; false when that cannot succeed in this view.
bool join(const channel::OneWay& way, const View& view, Time now, Assessment& out) {
  for (const channel::Sa& sa : way.carriers) {
    const auto peer = view.peer_of(sa.id, now);
    if (!peer) {
      out.peer_error = fail(Code::PEER_UNKNOWN, "wanted the peer of every SA of this connection, found an SA without one; check the IKE "
                                                "daemon, or name manual SAs by a [[static]] line");
      out.may_improve = out.may_improve || view.peer_may_come(sa.id, now);
      return false;
    }
    if (out.peer && !same_end(*out.peer, *peer)) {
      out.peer_error = fail(Code::PEER_UNKNOWN, "the SAs of this connection belong to different peers: " +
                                                    format(out.peer->remote) + " and " + format(peer->remote));
      return false;
    }
    // The weakest key exchange of all counts.
    if (out.peer && channel::weak_dh_group(peer->dh_group)) out.peer->dh_group = peer->dh_group;
    if (!out.peer) out.peer = peer;
  }
  return true;
}

void note_arrivals(const channel::OneWay& way, const View& view, std::vector<std::uint64_t>& arrivals) {
  for (const channel::Sa& sa : way.carriers) {
    const auto arrival = view.arrivals.find(sa.id);
    arrivals.push_back(arrival == view.arrivals.end() ? 0 : arrival->second.sequence);
  }
}

// One tunnel each way, to the address that our own IKE daemon gave to the peer: nobody stands behind it.
bool is_given_address(const Assessment& assessment, const channel::Address& remote) {
  const auto one_tunnel = [](const channel::OneWay& way) {
    return way.policy && way.policy->templates.size() == 1 && way.policy->templates.front().mode == channel::Mode::tunnel;
  };
  return assessment.peer && one_tunnel(assessment.verdict.out) && one_tunnel(assessment.verdict.in) &&
         std::ranges::find(assessment.peer->given, remote) != assessment.peer->given.end();
}

}  // namespace

bool same_end(const channel::PeerInfo& a, const channel::PeerInfo& b) {
  if (a.remote != b.remote || a.local != b.local || a.remote_method != b.remote_method || a.remote_fixed != b.remote_fixed ||
      a.negotiated != b.negotiated || a.source != b.source)
    return false;
  return a.authenticated() ? b.authenticated() : !b.authenticated() && a.ike_sa == b.ike_sa;
}

Assessment assess(const channel::Flow& flow, const channel::Surroundings& around, const View& view, Time now) {
  Assessment out;
  channel::Surroundings here = around;
  here.mirror_fresh = view.fresh;
  here.too_many = view.cut;
  out.verdict = channel::resolve(flow, view.databases->spd, view.databases->sad, here);
  out.peer_error = fail(Code::PEER_UNKNOWN, "no SA carries this connection");
  out.may_improve = !view.fresh;
  if (!out.verdict.is_protected) return out;
  note_arrivals(out.verdict.out, view, out.arrivals);
  note_arrivals(out.verdict.in, view, out.arrivals);
  if (!join(out.verdict.out, view, now, out) || !join(out.verdict.in, view, now, out)) out.peer.reset();
  out.verdict.end_to_end = out.verdict.end_to_end || is_given_address(out, flow.remote);
  return out;
}

base::Status sufficient(const Assessment& assessment, const Config& config) {
  const channel::Verdict& verdict = assessment.verdict;
  if (!verdict.is_protected) return verdict.why_not;
  if (!verdict.end_to_end) return fail(Code::NOT_END_TO_END, "wanted transport mode or a tunnel that ends at the peer itself");
  const std::uint16_t least = std::max(config.min_key_bits, channel::kMinimumKeyBits);
  if (!verdict.quality.known || !verdict.quality.integrity || verdict.quality.key_bits < least)
    return fail(Code::WEAK, "wanted integrity and at least " + std::to_string(least) + " bits, found " +
                                (verdict.quality.suite.empty() ? "an unknown algorithm" : verdict.quality.suite) + " with " +
                                std::to_string(verdict.quality.key_bits));
  if (!assessment.peer) return assessment.peer_error;
  if (!assessment.peer->authenticated() && assessment.peer->negotiated && channel::weak_dh_group(assessment.peer->dh_group))
    return fail(Code::WEAK_KEYS, "IKE authenticated nobody and used Diffie-Hellman group " + std::to_string(assessment.peer->dh_group) +
                                     "; use group 14 or higher");
  return {};
}

}  // namespace gssipsec::broker
