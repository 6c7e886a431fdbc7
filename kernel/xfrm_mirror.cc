// SPDX-License-Identifier: MIT
// Keeping a copy of the databases in step with the monitor's events, as the kernel itself changes them.
#include <algorithm>

#include "kernel/xfrm.h"

namespace gssipsec::kernel {

namespace {

using channel::Policy;
using channel::Sa;

// An id can be there twice only with different marks, and most events tell no mark: then nobody can say which one is meant.
struct Found {
  std::vector<Sa>::iterator at;
  std::size_t count;
};

Found find(std::vector<Sa>& sas, const channel::SaId& id) {
  const auto same = [&id](const Sa& sa) { return sa.id == id; };
  const auto first = std::find_if(sas.begin(), sas.end(), same);
  return {first, first == sas.end() ? 0 : static_cast<std::size_t>(std::count_if(first, sas.end(), same))};
}

// xfrm_state_update(): keys, algorithms, mode and selector of a mature SA stay what they were, whatever the message that
// announces the update says; a larval one is replaced as a whole.
void update_in_place(Sa& old, const Sa& news) {
  old.encap_source_port = news.encap_source_port;
  old.encap_destination_port = news.encap_destination_port;
  if (news.if_id != 0) old.if_id = news.if_id;
  old.incomplete = old.incomplete || news.incomplete;
  old.dying = false;
}

struct Applier {
  Databases& databases;

  std::vector<Sa>& sas() const { return databases.sad.sas; }
  std::vector<Policy>& policies() const { return databases.spd.policies; }

  // ALLOCSPI announces no SA, so the update that completes it is the first that the monitor tells of it.
  bool operator()(const SaAdded& event) const {
    const auto same = [&event](const Sa& sa) { return sa.id == event.sa.id && sa.mark == event.sa.mark; };
    const auto old = std::find_if(sas().begin(), sas().end(), same);
    if (old == sas().end())
      sas().push_back(event.sa);
    else if (event.update && old->state == channel::SaState::valid)
      update_in_place(*old, event.sa);
    else
      *old = event.sa;
    return true;
  }

  bool operator()(const SaDeleted& event) const { return remove(event.id); }

  bool operator()(const SaExpired& event) const {
    if (event.hard) return remove(event.id);
    const Found found = find(sas(), event.id);
    if (found.count == 1) found.at->dying = true;
    return found.count < 2;
  }

  bool operator()(const SasFlushed& event) const {
    const auto gone = [&event](const Sa& sa) { return event.protocol == 0 || event.protocol == 255 || sa.id.protocol == event.protocol; };
    std::erase_if(sas(), gone);
    return true;
  }

  // A policy that replaces one of the same selector takes over its index, and its place among those of equal priority
  // as long as the priority stays (xfrm_policy_insert_list()); else it comes last among its new equals.
  bool operator()(const PolicyAdded& event) const {
    Policy news = event.policy;
    const auto old = find_policy(news.index, news.direction);
    const bool stays = old != policies().end() && old->priority == news.priority;
    news.order = stays ? old->order : next_order();
    if (old == policies().end())
      policies().push_back(std::move(news));
    else
      *old = std::move(news);
    return true;
  }

  bool operator()(const PolicyDeleted& event) const { return remove_policy(event.index, event.direction); }
  bool operator()(const PolicyExpired& event) const { return !event.hard || remove_policy(event.index, event.direction); }

  bool operator()(const PoliciesFlushed& event) const {
    std::erase_if(policies(), [&event](const Policy& policy) { return policy.sub_policy == event.sub_policy; });
    return true;
  }

  bool operator()(const DefaultsChanged& event) const {
    databases.spd.default_in = event.in;
    databases.spd.default_out = event.out;
    return true;
  }

  bool operator()(const Mapped&) const { return true; }  // news for the IKE daemon, who then updates the SA
  bool operator()(const Migrated&) const { return false; }

  bool remove(const channel::SaId& id) const {
    const Found found = find(sas(), id);
    if (found.count == 1) sas().erase(found.at);
    return found.count < 2;
  }

  std::vector<Policy>::iterator find_policy(std::uint32_t index, channel::Direction direction) const {
    return std::find_if(policies().begin(), policies().end(), [=](const Policy& policy) { return policy.index == index && policy.direction == direction; });
  }

  bool remove_policy(std::uint32_t index, channel::Direction direction) const {
    if (const auto old = find_policy(index, direction); old != policies().end()) policies().erase(old);
    return true;
  }

  std::uint64_t next_order() const {
    std::uint64_t last = 0;
    for (const Policy& policy : policies()) last = std::max(last, policy.order);
    return last + 1;
  }
};

}  // namespace

bool apply(const Event& event, Databases& databases) { return std::visit(Applier{databases}, event); }

}  // namespace gssipsec::kernel
