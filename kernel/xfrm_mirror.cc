// SPDX-License-Identifier: MIT
// Keeping a copy of the databases in step with the monitor's events, as the kernel itself changes them.
#include <tuple>
#include <utility>

#include "kernel/xfrm_mirror.h"

namespace gssipsec::kernel {

namespace {

using channel::Policy;
using channel::Sa;
using channel::SpdIndex;
using Held = channel::SadIndex::Held;

// xfrm_state_update(): keys, algorithms, mode and selector of a mature SA stay what they were, whatever the message that
// announces the update says; a larval one is replaced as a whole.
void update_in_place(Sa& old, const Sa& news) {
  old.encap_source_port = news.encap_source_port;
  old.encap_destination_port = news.encap_destination_port;
  if (news.if_id != 0) old.if_id = news.if_id;
  old.incomplete = old.incomplete || news.incomplete;
  old.dying = false;
}

// A policy that replaces one of the same selector takes over its index, and its place among those of equal priority as long
// as the priority stays (xfrm_policy_insert_list()); else it comes last among its new equals, `unsure` if that was not seen.
void put_policy(SpdIndex& spd, Policy news, bool unsure, Effect& effect) {
  const Policy* old = spd.find(news.index, news.direction);
  const bool stays = old && old->priority == news.priority;
  news.order = stays ? old->order : spd.next_order();
  news.order_unsure = stays ? old->order_unsure : unsure;
  if (old) effect.removed.push_back(*old);
  effect.added.push_back(news);
  spd.put(std::move(news));
}

void remove_policy(SpdIndex& spd, std::uint32_t index, channel::Direction direction, Effect& effect) {
  const Policy* old = spd.find(index, direction);
  if (!old) return;
  effect.removed.push_back(*old);
  spd.remove(index, direction);
}

// A rekey changes keys, lifetimes and the SPI.
bool is_rekeyed_by(const Sa& old, const Sa& news) {
  const auto what = [](const Sa& sa) { return std::tie(sa.id.protocol, sa.id.destination, sa.source, sa.reqid, sa.mode, sa.selector, sa.mark, sa.if_id); };
  return old.state == channel::SaState::valid && what(old) == what(news);
}

struct Applier {
  Tables& tables;
  const channel::Arrival& arrival;
  Effect effect{};

  // `old`: what has its name, which is no other SA.
  [[nodiscard]] channel::Arrival arrival_of(const Sa& news, const Held* old) const {
    channel::Arrival own = arrival;
    const auto pair = tables.sad.between(news.source, news.id.destination);
    for (const Held& held : pair.is_long() ? tables.sad.of_reqid(news.reqid) : pair)
      if (&held != old && is_rekeyed_by(held.sa, news)) return own.follows = true, own;
    return own;
  }

  // ALLOCSPI announces no SA, so the update that completes it is the first that the monitor tells of it.
  void operator()(const SaAdded& event) {
    Held* old = tables.sad.find(event.sa.id, event.sa.mark);
    const bool same = old && event.update && old->sa.added == event.sa.added;
    if (!same) effect.arrived = event.sa.id;
    effect.replaced = !same && tables.sad.contains(event.sa.id);
    effect.reqids.push_back(event.sa.reqid);
    if (!old) {
      tables.sad.add(event.sa, arrival_of(event.sa, old));
      return;
    }
    effect.reqids.push_back(old->sa.reqid);
    if (!same) tables.sad.arrive(event.sa.id, arrival_of(event.sa, old));
    if (event.update && old->sa.state == channel::SaState::valid) update_in_place(old->sa, event.sa);
    else tables.sad.replace(*old, event.sa);
  }

  void operator()(const SaDeleted& event) { remove(event.id); }

  void operator()(const SaExpired& event) {
    if (event.hard) return remove(event.id);
    if (Held* held = only(event.id)) held->sa.dying = true;
  }

  void operator()(const SasFlushed& event) {
    effect.all_sas = true;
    tables.sad.remove_if([&event](const Sa& sa) { return event.protocol == 0 || event.protocol == 255 || sa.id.protocol == event.protocol; });
  }

  void operator()(const PolicyAdded& event) { put_policy(tables.spd, event.policy, false, effect); }
  void operator()(const PolicyDeleted& event) { remove_policy(tables.spd, event.index, event.direction, effect); }
  void operator()(const PolicyExpired& event) {
    if (event.hard) remove_policy(tables.spd, event.index, event.direction, effect);
  }

  void operator()(const PoliciesFlushed& event) {
    tables.spd.each([&](const Policy& policy) {
      if (policy.sub_policy == event.sub_policy) effect.removed.push_back(policy);
    });
    for (const Policy& policy : effect.removed) tables.spd.remove(policy.index, policy.direction);
  }

  void operator()(const DefaultsChanged& event) {
    effect.defaults = true;
    tables.spd.default_in = event.in;
    tables.spd.default_out = event.out;
  }

  void operator()(const Mapped&) {}  // news for the IKE daemon, who then updates the SA
  void operator()(const Migrated&) { effect.fits = false; }

  // Most events tell no mark, and an id can be there twice with different ones: then nobody can say which is meant.
  Held* only(const channel::SaId& id) {
    const auto found = tables.sad.find(id);
    effect.fits = found.count < 2;
    if (found.count != 1) return nullptr;
    effect.reqids.push_back(found.first->sa.reqid);
    return found.first;
  }

  void remove(const channel::SaId& id) {
    if (const Held* held = only(id)) tables.sad.remove(*held);
  }
};

}  // namespace

bool same_but_order(Policy a, const Policy& b) {
  a.order = b.order;
  a.order_unsure = b.order_unsure;
  return a == b;
}

Effect apply(const Event& event, Tables& tables, const channel::Arrival& arrival) {
  Applier applier{tables, arrival};
  std::visit(applier, event);
  return std::move(applier.effect);
}

Effect bring_to(SpdIndex& have, const SpdIndex& wanted) {
  Effect effect;
  std::vector<std::pair<std::uint32_t, channel::Direction>> gone;
  have.each([&](const Policy& policy) {
    if (!wanted.find(policy.index, policy.direction)) gone.emplace_back(policy.index, policy.direction);
  });
  for (const auto& [index, direction] : gone) remove_policy(have, index, direction, effect);
  wanted.each([&](const Policy& policy) {
    const Policy* old = have.find(policy.index, policy.direction);
    if (!old || !same_but_order(*old, policy)) put_policy(have, policy, true, effect);
  });
  effect.defaults = have.default_in != wanted.default_in || have.default_out != wanted.default_out;
  have.default_in = wanted.default_in;
  have.default_out = wanted.default_out;
  return effect;
}

Tables tables_of(Databases databases, const ArrivalOf& arrival_of) {
  Tables tables;
  tables.spd.default_in = databases.spd.default_in;
  tables.spd.default_out = databases.spd.default_out;
  for (Policy& policy : databases.spd.policies) tables.spd.put(std::move(policy));
  tables.sad.reserve(databases.sad.sas.size());
  for (Sa& sa : databases.sad.sas) {
    const channel::Arrival arrival = arrival_of(sa);
    tables.sad.add(std::move(sa), arrival);
  }
  return tables;
}

}  // namespace gssipsec::kernel
