// SPDX-License-Identifier: MIT
#include "channel/judge.h"

#include <algorithm>

namespace gssipsec::channel {
namespace {

using base::Code;
using base::fail;

constexpr std::size_t kMaxDepth = 6;  // XFRM_MAX_DEPTH: as many templates are too many

bool protects(const Template& entry) { return entry.protocol == kProtoEsp || entry.protocol == kProtoAh; }
bool is_required(const Template& entry) { return !entry.optional; }

std::string named(const Policy& policy) { return "policy " + std::to_string(policy.index); }

// A sub policy shows the main policy's templates behind its own: they apply together.
Policy merged(const Path& path) {
  Policy policy = *path.policies.front();
  for (std::size_t i = 1; i < path.policies.size(); ++i) {
    const Policy& next = *path.policies[i];
    if (next.action == Action::block) return next;
    policy.templates.insert(policy.templates.end(), next.templates.begin(), next.templates.end());
    policy.incomplete = policy.incomplete || next.incomplete;
  }
  return policy;
}

// Compression may be skipped for small packets; that is no clear text as long as another template is required.
// A policy that allows does so whatever the default is (since Linux 5.18).
base::Error refusal(const Policy& policy) {
  if (policy.action == Action::block) return fail(Code::BLOCKED, named(policy) + " blocks");
  if (policy.templates.size() >= kMaxDepth) return fail(Code::BLOCKED, named(policy) + " has more templates than the kernel handles");
  if (std::ranges::any_of(policy.templates, [](const Template& one) { return one.optional && protects(one); }))
    return fail(Code::OPTIONAL_POLICY, named(policy));
  if (std::ranges::any_of(policy.templates, [](const Template& one) { return !one.optional && protects(one); })) return {Code::ok, ""};
  return fail(Code::BYPASS, named(policy) + " allows without IPsec");
}

// What one template of the bundle lacks another may give.
Quality combined(const Quality& a, const Quality& b) {
  Quality out = weakest(a, b);
  out.confidentiality = a.confidentiality || b.confidentiality;
  out.integrity = a.integrity || b.integrity;
  out.replay_protection = a.replay_protection || b.replay_protection;
  out.suite = a.suite + "+" + b.suite;
  return out;
}

Quality weakest_of(const std::vector<Sa>& sas) {
  Quality out = quality_of(sas.front());
  for (const Sa& sa : sas) out = weakest(out, quality_of(sa));
  return out;
}

bool ends_at(const Address& peer, const Sa& sa, Direction direction) {
  if (sa.mode == Mode::transport) return true;
  if (sa.mode == Mode::beet) return sa.selector.family != Family::none;
  return sa.mode == Mode::tunnel && (direction == Direction::out ? sa.id.destination : sa.source) == peer;
}

Mode outermost(Mode a, Mode b) {
  for (const Mode mode : {Mode::other, Mode::tunnel, Mode::beet})
    if (a == mode || b == mode) return mode;
  return Mode::transport;
}

bool carries_mark(const Sa& sa) { return sa.if_id != 0 || sa.mark.mask != 0; }

// One template after the other, as xfrm_tmpl_resolve_one walks them; inbound the same, from the inside out.
class Walk {
 public:
  Walk(const Sad& sad, const Packet& packet, Judged& out) : sad_(sad), packet_(packet), out_(out) {}

  base::Error policy(const Policy& policy) {
    outer_ = {packet_.source, packet_.destination};
    out_.marked = out_.marked || policy.if_id != 0 || policy.mark.mask != 0;
    for (const Template& entry : policy.templates)
      if (base::Error error = one(policy, entry); error.code != Code::ok) return error;
    return {Code::ok, ""};
  }

 private:
  base::Error one(const Policy& policy, const Template& entry) {
    Joined joined = join(sad_, policy, entry, packet_, outer_);
    if (joined.doubt) return fail(Code::UNKNOWN, "an SA that could carry " + described(packet_) + " " + joined.doubt);
    if (joined.sas.empty() && is_required(entry)) return fail(Code::NO_SA, named(policy) + " wants reqid " + std::to_string(entry.reqid));
    if (joined.sas.empty()) return {Code::ok, ""};
    if (entry.mode != Mode::transport) outer_ = {entry.source, entry.destination};
    out_.mode = outermost(out_.mode, entry.mode);
    out_.marked = out_.marked || std::ranges::any_of(joined.sas, carries_mark);
    if (protects(entry)) add(std::move(joined.sas));
    return {Code::ok, ""};
  }

  void add(std::vector<Sa> sas) {
    const Address& peer = packet_.direction == Direction::out ? packet_.destination : packet_.source;
    out_.ends_at_peer = out_.ends_at_peer && std::ranges::all_of(sas, [&](const Sa& sa) { return ends_at(peer, sa, packet_.direction); });
    const Quality quality = weakest_of(sas);
    const bool first = out_.way.carriers.empty();
    out_.way.quality = first ? quality : combined(out_.way.quality, quality);
    if (first) out_.way.carriers = std::move(sas);
  }

  const Sad& sad_;
  const Packet& packet_;
  Judged& out_;
  Outer outer_;
};

base::Error carried(const Sad& sad, const Path& path, const Packet& packet, Judged& out) {
  Walk walk(sad, packet, out);
  for (const Policy* policy : path.policies)
    if (base::Error error = walk.policy(*policy); error.code != Code::ok) return error;
  const Quality& quality = out.way.quality;
  if (!quality.known) return fail(Code::WEAK, "wanted known algorithms, found one that has no IKE number");
  if (!quality.integrity) return fail(Code::WEAK, "wanted integrity, found " + (quality.suite.empty() ? "none" : quality.suite));
  return {Code::ok, ""};
}

}  // namespace

std::string described(const Packet& packet) {
  return format(packet.source) + " > " + format(packet.destination) + " protocol " + std::to_string(packet.protocol);
}

Judged judge(const Sad& sad, const Path& path, const Packet& packet, Action fallback) {
  Judged out;
  OneWay& way = out.way;
  if (path.doubt != Doubt::none) {
    way.why_not = fail(Code::UNKNOWN, described(packet) + ": " + doubt_text(path.doubt));
    return out;
  }
  if (path.policies.empty()) {
    const bool blocks = fallback == Action::block;
    way.why_not = fail(blocks ? Code::BLOCKED : Code::NO_POLICY, "no policy for " + described(packet) + (blocks ? " and the default is block" : ""));
    return out;
  }
  way.policy = merged(path);
  way.why_not = refusal(*way.policy);
  if (way.why_not.code == Code::ok) way.why_not = carried(sad, path, packet, out);
  way.is_protected = way.why_not.code == Code::ok;
  return out;
}

}  // namespace gssipsec::channel
