// SPDX-License-Identifier: MIT
#include "broker/changes.h"

#include <algorithm>

#include "channel/lookup.h"

namespace gssipsec::broker {

void Changes::add(kernel::Effect effect) {
  everything = everything || effect.defaults;
  all_sas = all_sas || effect.all_sas;
  reqids.insert(effect.reqids.begin(), effect.reqids.end());
  for (auto* list : {&effect.removed, &effect.added}) std::ranges::move(*list, std::back_inserter(policies));
}

Footing footing_of(const View& view) {
  Footing footing;
  for (const channel::Policy& policy : view.databases->spd.policies)
    for (const channel::Template& entry : policy.templates) {
      footing.reqids.push_back(entry.reqid);
      footing.any_sa = footing.any_sa || entry.reqid == 0;
    }
  std::ranges::sort(footing.reqids);
  footing.any_sa = footing.any_sa || view.cut;  // nobody looked at them
  return footing;
}

bool may_concern(const Changes& changes, const channel::Flow& flow, const Footing& footing) {
  if (changes.everything || changes.all_sas) return true;
  if (footing.any_sa && !changes.reqids.empty()) return true;
  if (std::ranges::any_of(footing.reqids, [&changes](std::uint32_t reqid) { return changes.reqids.contains(reqid); })) return true;
  return std::ranges::any_of(changes.policies, [&flow](const channel::Policy& policy) {
    return channel::match(policy.selector, channel::packet_of(flow, policy.direction)) != channel::Match::no;
  });
}

}  // namespace gssipsec::broker
