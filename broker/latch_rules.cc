// SPDX-License-Identifier: MIT
#include "broker/latch_rules.h"

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;
using protocol::LatchState;

bool weaker(const channel::Quality& now, const channel::Quality& then) {
  return !now.known || now.key_bits < then.key_bits || (then.confidentiality && !now.confidentiality) ||
         (then.integrity && !now.integrity) || (then.replay_protection && !now.replay_protection);
}

bool blocks(const channel::OneWay& way) { return !way.is_protected && way.why_not.code == Code::BLOCKED; }

// The SPD still asks for protection and only SAs (or their peer) are missing, or it lets nothing by at all: nothing leaves in clear.
// Nor does anything come in, under an enforced latch by the socket's own policy.
bool nothing_in_clear(const LatchParameters& latched, const Assessment& now) {
  const auto& verdict = now.verdict;
  const auto waits = [](const channel::OneWay& way) { return way.is_protected || way.why_not.code == Code::NO_SA || blocks(way); };
  return verdict.is_protected || (waits(verdict.out) && (waits(verdict.in) || (enforced(latched) && blocks(verdict.out))));
}

// Keys that no IKE SA made have no lineage: whoever holds the next pair, nothing says that he held the last one. Nor does
// the SPI, which may be given again.
bool replaced_without_lineage(const LatchParameters& latched, const LatchParameters& now) {
  return pinned(now.peer) && now.peer.ike_sa == 0 && (latched.out != now.out || latched.in != now.in || latched.arrivals != now.arrivals);
}

// As long as it takes: only a change can mend it, or break it.
LatchStatus waiting(base::Error why, Time& stale_since) {
  stale_since = Time();
  return {LatchState::stale, std::move(why)};
}

LatchStatus unconfirmed(base::Error why, Time when, Time& stale_since) {
  if (stale_since == Time()) stale_since = when;
  return {when - stale_since > kStaleLimit ? LatchState::broken : LatchState::stale, std::move(why)};
}

// IKE daemons put blocks above while they move SAs to other addresses. One that stays is the administrator's.
LatchStatus blocked(const LatchStatus& current, const Assessment& now, Time when, Time& stale_since) {
  if (current.state == LatchState::broken) return current;
  LatchStatus next = unconfirmed(fail(Code::LATCH_STALE, describe(now.verdict.why_not)), when, stale_since);
  if (next.state != LatchState::broken) return next;
  stale_since = Time();
  next.why.code = Code::LATCH_BROKEN;
  return next;
}

}  // namespace

bool pinned(const channel::PeerInfo& peer) { return !peer.authenticated(); }

base::Result<LatchParameters> parameters_of(const Assessment& assessment, const channel::Flow& flow) {
  const channel::Verdict& verdict = assessment.verdict;
  if (!assessment.peer) return assessment.peer_error;
  if (!verdict.latchable) return verdict.why_not_latchable;
  const bool pin = pinned(*assessment.peer);
  auto out = channel::latch_templates(verdict.out, flow, channel::Direction::out, pin);
  if (!out) return out.error();
  auto in = channel::latch_templates(verdict.in, flow, channel::Direction::in, pin);
  if (!in) return in.error();
  return LatchParameters{*assessment.peer, verdict.mode, verdict.quality, std::move(*out), std::move(*in), assessment.arrivals};
}

base::Result<LatchParameters> watched_parameters(const Assessment& assessment) {
  if (!assessment.peer) return assessment.peer_error;
  const channel::Verdict& verdict = assessment.verdict;
  return LatchParameters{*assessment.peer, verdict.mode, verdict.quality, {}, {}, assessment.arrivals};
}

base::Result<LatchParameters> listener_parameters(const Assessment& assessment, const channel::Surroundings& around, const channel::Flow& flow) {
  const channel::Verdict& verdict = assessment.verdict;
  if (around.vrf || flow.if_id != 0) return fail(Code::NOT_LATCHABLE, "the route to the peer goes through a VRF or an xfrm interface");
  if (verdict.is_protected && !verdict.latchable) return verdict.why_not_latchable;
  auto out = channel::listener_templates(verdict.out, flow, channel::Direction::out);
  if (!out) return out.error();
  auto in = channel::listener_templates(verdict.in, flow, channel::Direction::in);
  if (!in) return in.error();
  LatchParameters parameters;
  parameters.out = std::move(*out);
  parameters.in = std::move(*in);
  return parameters;
}

base::Status congruent(const LatchParameters& latched, const LatchParameters& now) {
  if (enforced(latched) && !enforced(now)) return fail(Code::LATCH_BROKEN, "the kernel enforced it, and cannot any more");
  if (!same_end(latched.peer, now.peer))
    return fail(Code::LATCH_BROKEN, "latched to peer " + format(latched.peer.remote) + " (" +
                                        auth_method_name(latched.peer.remote_method) + "), found " + format(now.peer.remote) + " (" +
                                        auth_method_name(now.peer.remote_method) + ")");
  if (replaced_without_lineage(latched, now))
    return fail(Code::LATCH_BROKEN, "no peer is authenticated and no IKE SA made the keys, so other SAs than those latched may be anybody's");
  if (latched.mode != now.mode)
    return fail(Code::LATCH_BROKEN, std::string("latched in ") + mode_name(latched.mode) + " mode, found " + mode_name(now.mode));
  if (weaker(now.quality, latched.quality))
    return fail(Code::LATCH_BROKEN, "latched with " + latched.quality.suite + ", found the weaker " + now.quality.suite);
  return {};
}

LatchStatus next_status(const LatchStatus& current, const LatchParameters& latched, const Assessment& now, const channel::Flow& flow,
                        bool fresh, Time when, Time& stale_since) {
  if (!fresh) return current;  // staleness of the mirror alone breaks nothing
  if (!nothing_in_clear(latched, now)) {
    stale_since = Time();
    base::Error why = now.verdict.why_not;
    why.detail = describe(why);
    why.code = Code::LATCH_BROKEN;
    return {LatchState::broken, std::move(why)};
  }
  // Successors come before the SAs that they follow go: the next ones here are somebody's new ones.
  if (!now.verdict.is_protected && pinned(latched.peer)) {
    stale_since = Time();
    return {LatchState::broken, fail(Code::LATCH_BROKEN, "no peer is authenticated, and the SAs that the socket is pinned to are gone, or blocked")};
  }
  if (blocks(now.verdict.out) || blocks(now.verdict.in)) return blocked(current, now, when, stale_since);
  if (!now.verdict.is_protected) return waiting(fail(Code::LATCH_STALE, describe(now.verdict.why_not)), stale_since);
  if (!now.peer) return unconfirmed(fail(Code::LATCH_STALE, describe(now.peer_error)), when, stale_since);
  stale_since = Time();  // it is known who is there: breaking now is proven
  const auto wanted = enforced(latched) ? parameters_of(now, flow) : watched_parameters(now);
  if (!wanted) return {LatchState::broken, fail(Code::LATCH_BROKEN, describe(wanted.error()))};
  const base::Status same = congruent(latched, *wanted);
  if (!same.ok()) return {LatchState::broken, same.error()};
  if (!enforced(latched)) return {LatchState::monitored, {}};
  // Congruent, but the kernel enforces other templates (another reqid, or other pinned SPIs): to be latched again by its owner.
  if (wanted->out != latched.out || wanted->in != latched.in)
    return {LatchState::stale, fail(Code::LATCH_STALE, "the SAs changed; the socket must be latched again")};
  return {LatchState::established, {}};
}

LatchStatus next_listener_status(const LatchStatus& current, const LatchParameters& latched, const Assessment& now,
                                 const channel::Surroundings& around, const channel::Flow& flow, bool fresh) {
  if (!fresh) return current;
  const auto wanted = listener_parameters(now, around, flow);
  if (!wanted) return {LatchState::stale, fail(Code::LATCH_STALE, describe(wanted.error()))};
  if (wanted->out == latched.out && wanted->in == latched.in) return {LatchState::listener, {}};
  return {LatchState::stale, fail(Code::LATCH_STALE, "the policies ask for other templates; latch the listener again")};
}

}  // namespace gssipsec::broker
