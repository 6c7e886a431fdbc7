// SPDX-License-Identifier: MIT
#include "channel/resolver.h"

#include <algorithm>

#include "channel/join.h"
#include "channel/lookup.h"

namespace gssipsec::channel {
namespace {

using base::Code;
using base::fail;

std::string described(const Packet& packet) {
  return format(packet.source) + " > " + format(packet.destination) + " protocol " + std::to_string(packet.protocol);
}

base::Error no_policy(const Packet& packet, Action fallback) {
  return fallback == Action::block ? fail(Code::BLOCKED, "no policy for " + described(packet) + " and the default is block")
                                   : fail(Code::NO_POLICY, "no policy for " + described(packet));
}

base::Error refuse(const Policy& policy) {
  if (policy.action == Action::block) return fail(Code::BLOCKED, "policy " + std::to_string(policy.index) + " blocks");
  if (policy.templates.empty()) return fail(Code::BYPASS, "policy " + std::to_string(policy.index) + " allows without IPsec");
  const bool all_required = std::ranges::none_of(policy.templates, &Template::optional);
  return all_required ? base::Error{Code::ok, ""} : fail(Code::OPTIONAL_POLICY, "policy " + std::to_string(policy.index));
}

// Integrity of every SA in the bundle is needed; confidentiality of one is enough.
Quality combined(const Quality& a, const Quality& b) {
  Quality out = weakest(a, b);
  out.confidentiality = a.confidentiality || b.confidentiality;
  out.integrity = a.integrity || b.integrity;
  out.replay_protection = a.replay_protection || b.replay_protection;
  if (out.suite == "indeterminate") out.suite = a.suite + "+" + b.suite;
  return out;
}

Quality weakest_of(const std::vector<Sa>& sas) {
  Quality out = quality_of(sas.front());
  for (const Sa& sa : sas) out = weakest(out, quality_of(sa));
  return out;
}

// Every template needs SAs; the first one's are the carriers that peers are joined by.
base::Error join_bundle(const Sad& sad, const Packet& packet, OneWay& way) {
  const Policy& policy = *way.policy;
  for (std::size_t i = 0; i < policy.templates.size(); ++i) {
    Joined joined = join(sad, policy, policy.templates[i], packet);
    if (joined.uncertain) return fail(Code::UNKNOWN, "an SA that could carry " + described(packet) + " has attributes that are not understood");
    if (joined.sas.empty()) return fail(Code::NO_SA, "policy " + std::to_string(policy.index) + " wants reqid " + std::to_string(policy.templates[i].reqid));
    const Quality quality = weakest_of(joined.sas);
    way.quality = i == 0 ? quality : combined(way.quality, quality);
    if (i == 0) way.carriers = std::move(joined.sas);
  }
  if (!way.quality.known) return fail(Code::WEAK, "wanted known algorithms, found one that has no IKE number");
  if (!way.quality.integrity) return fail(Code::WEAK, "wanted integrity, found " + way.quality.suite);
  return {Code::ok, ""};
}

OneWay one_way(const Spd& spd, const Sad& sad, const Packet& packet) {
  OneWay way;
  Found found = lookup(spd, packet);
  if (found.uncertain) {
    way.why_not = fail(Code::UNKNOWN, "a policy that could apply to " + described(packet) + " has attributes that are not understood");
    return way;
  }
  if (!found.policy) {
    way.why_not = no_policy(packet, packet.direction == Direction::in ? spd.default_in : spd.default_out);
    return way;
  }
  way.policy = std::move(found.policy);
  way.why_not = refuse(*way.policy);
  if (way.why_not.code == Code::ok) way.why_not = join_bundle(sad, packet, way);
  way.is_protected = way.why_not.code == Code::ok;
  return way;
}

base::Error both_ways(const Verdict& verdict) {
  if (verdict.out.is_protected && verdict.in.is_protected) return {Code::ok, ""};
  const bool one = verdict.out.is_protected != verdict.in.is_protected;
  const base::Error& inner = verdict.out.is_protected ? verdict.in.why_not : verdict.out.why_not;
  const bool missing = inner.code == Code::NO_POLICY || inner.code == Code::BYPASS || inner.code == Code::OPTIONAL_POLICY;
  if (one && missing) return fail(Code::ONE_DIRECTION, std::string(verdict.out.is_protected ? "inbound: " : "outbound: ") + base::describe(inner));
  return inner;
}

base::Error exempt(const Surroundings& around, const Flow& flow) {
  if (around.same_host || flow.local.is_loopback() || flow.remote.is_loopback()) return fail(Code::LOOPBACK, format(flow));
  if (!around.mirror_fresh) return fail(Code::UNKNOWN, "the kernel's databases are being read again");
  if (around.device_exempt) return fail(Code::BYPASS, "disable_xfrm or disable_policy is set on the device");
  return {Code::ok, ""};
}

bool ends_at_peer(const OneWay& way, const Flow& flow, Direction direction) {
  const Address& far = flow.remote;
  return std::ranges::all_of(way.carriers, [&](const Sa& sa) {
    if (sa.mode == Mode::transport) return true;
    const Address& outer = direction == Direction::out ? sa.id.destination : sa.source;
    if (sa.mode == Mode::beet) return sa.selector.family != Family::none;
    return sa.mode == Mode::tunnel && outer == far;
  });
}

base::Error not_latchable(const OneWay& way, const Flow& flow, const Surroundings& around, Direction direction) {
  if (around.vrf) return fail(Code::NOT_LATCHABLE, "the route goes through a VRF");
  if (way.policy->if_id != 0 || way.policy->mark.mask != 0) return fail(Code::NOT_LATCHABLE, "the policy carries an if_id or a mark");
  for (const Sa& sa : way.carriers)
    if (sa.if_id != 0 || sa.mark.mask != 0) return fail(Code::NOT_LATCHABLE, "an SA carries an if_id or a mark");
  const auto templates = latch_templates(way, flow, direction, false);
  return templates.ok() ? base::Error{Code::ok, ""} : templates.error();
}

// The reqid that all carriers share, for a template that left it open.
std::uint32_t shared_reqid(const std::vector<Sa>& carriers) {
  const std::uint32_t reqid = carriers.empty() ? 0 : carriers.front().reqid;
  return std::ranges::all_of(carriers, [reqid](const Sa& sa) { return sa.reqid == reqid; }) ? reqid : 0;
}

void fill_addresses(Template& entry, const Flow& flow, Direction direction) {
  const bool out = direction == Direction::out;
  if (entry.source.is_any()) entry.source = out ? flow.local : flow.remote;
  if (entry.destination.is_any()) entry.destination = out ? flow.remote : flow.local;
  entry.family = entry.destination.family;
}

}  // namespace

Verdict resolve(const Flow& flow, const Spd& spd, const Sad& sad, const Surroundings& around) {
  Verdict verdict;
  verdict.why_not = exempt(around, flow);
  if (verdict.why_not.code != Code::ok) {
    verdict.out.why_not = verdict.in.why_not = verdict.why_not_latchable = verdict.why_not;
    return verdict;
  }
  verdict.out = one_way(spd, sad, packet_of(flow, Direction::out));
  verdict.in = one_way(spd, sad, packet_of(flow, Direction::in));
  verdict.why_not = both_ways(verdict);
  verdict.is_protected = verdict.why_not.code == Code::ok;
  verdict.why_not_latchable = verdict.why_not;
  if (!verdict.is_protected) return verdict;
  verdict.mode = verdict.out.carriers.front().mode;
  verdict.quality = weakest(verdict.out.quality, verdict.in.quality);
  // strongSwan's outbound SAs show no window: replay is the receiver's business.
  verdict.quality.replay_protection = verdict.in.quality.replay_protection;
  verdict.end_to_end = ends_at_peer(verdict.out, flow, Direction::out) && ends_at_peer(verdict.in, flow, Direction::in);
  verdict.why_not_latchable = not_latchable(verdict.out, flow, around, Direction::out);
  if (verdict.why_not_latchable.code == Code::ok) verdict.why_not_latchable = not_latchable(verdict.in, flow, around, Direction::in);
  verdict.latchable = verdict.why_not_latchable.code == Code::ok;
  return verdict;
}

base::Result<std::vector<Template>> latch_templates(const OneWay& way, const Flow& flow, Direction direction, bool pin) {
  if (!way.is_protected || !way.policy) return fail(Code::NOT_LATCHABLE, "not protected");
  std::vector<Template> templates = way.policy->templates;
  if (pin && (templates.size() != 1 || way.carriers.size() != 1))
    return fail(Code::NOT_LATCHABLE, "wanted exactly one SA to pin to, found " + std::to_string(way.carriers.size()) + "; try again after the rekey");
  for (std::size_t i = 0; i < templates.size(); ++i) {
    Template& entry = templates[i];
    if (entry.protocol == kProtoComp) return fail(Code::NOT_LATCHABLE, "the policy compresses");
    if (entry.reqid == 0 && i == 0) entry.reqid = shared_reqid(way.carriers);
    if (entry.reqid == 0) return fail(Code::NOT_LATCHABLE, "the policy's template has no reqid, so any SA between these hosts would do");
    entry.optional = false;
    fill_addresses(entry, flow, direction);
    if (pin) entry.spi = way.carriers.front().id.spi;
  }
  return templates;
}

}  // namespace gssipsec::channel
