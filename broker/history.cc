// SPDX-License-Identifier: MIT
#include "broker/history.h"

#include <algorithm>
#include <optional>

namespace gssipsec::broker {
namespace {

using channel::Direction;
using channel::Policy;

// The same rule with the same effect; age, index and order apart.
bool same_content(const Policy& a, const Policy& b) {
  return a.direction == b.direction && a.selector == b.selector && a.priority == b.priority && a.action == b.action &&
         a.sub_policy == b.sub_policy && a.flags == b.flags && a.mark == b.mark && a.if_id == b.if_id &&
         a.templates == b.templates && a.incomplete == b.incomplete;
}

// Ports, marks and interfaces are left to the resolver: here a few too many do no harm.
bool concerns(const Policy& policy, const channel::Flow& flow) {
  const auto& selector = policy.selector;
  if (policy.incomplete) return true;
  if (policy.direction == Direction::out) return selector.source.contains(flow.local) && selector.destination.contains(flow.remote);
  if (policy.direction == Direction::in) return selector.source.contains(flow.remote) && selector.destination.contains(flow.local);
  return false;
}

std::vector<Policy> concerning(const std::vector<Policy>& policies, const channel::Flow& flow) {
  std::vector<Policy> found;
  std::copy_if(policies.begin(), policies.end(), std::back_inserter(found), [&flow](const Policy& p) { return concerns(p, flow); });
  return found;
}

struct Rules {
  std::optional<Policy> out, in;
};

Rules rules_for(const channel::Flow& flow, const channel::Spd& spd) {
  channel::Verdict verdict = channel::resolve(flow, spd, channel::Sad{}, channel::Surroundings{});
  return {std::move(verdict.out.policy), std::move(verdict.in.policy)};
}

bool requires_protection(const std::optional<Policy>& policy) {
  if (!policy || policy->incomplete) return false;
  if (policy->action == channel::Action::block) return true;
  return !policy->templates.empty() &&
         std::none_of(policy->templates.begin(), policy->templates.end(), [](const auto& t) { return t.optional; });
}

bool blocks(const std::optional<Policy>& policy) { return policy && !policy->incomplete && policy->action == channel::Action::block; }

// Which SA of the same reqid carries it may change: strongSwan writes the SPI of each new SA into its outbound policy.
std::vector<channel::Template> without_spis(std::vector<channel::Template> templates) {
  for (channel::Template& entry : templates) entry.spi = 0;
  return templates;
}

// Then as now, or nothing at all could pass.
bool as_good(const std::optional<Policy>& then, const std::optional<Policy>& now) {
  return blocks(then) || (requires_protection(then) && requires_protection(now) && without_spis(then->templates) == without_spis(now->templates));
}

// Takes `change` back out of `spd`. True when that touched the flow.
bool undo(const SpdChange& change, const channel::Flow& flow, channel::Spd& spd) {
  bool touched = false;
  for (const Policy& policy : change.added) {
    if (!concerns(policy, flow)) continue;
    touched = true;
    const auto there = std::find_if(spd.policies.begin(), spd.policies.end(), [&policy](const Policy& p) { return same_content(p, policy); });
    if (there != spd.policies.end()) spd.policies.erase(there);
  }
  for (const Policy& policy : change.removed) {
    if (!concerns(policy, flow)) continue;
    touched = true;
    spd.policies.push_back(policy);
  }
  return touched;
}

}  // namespace

bool immaterial(const SpdChange& change) {
  return change.removed.size() == 1 && change.added.size() == 1 && same_content(change.removed[0], change.added[0]) &&
         change.removed[0].order == change.added[0].order;
}

std::uint64_t protected_from(const channel::Flow& flow, const channel::Spd& now, std::uint64_t now_epoch,
                             const std::deque<EpochChange>& changes, std::uint64_t floor) {
  constexpr std::uint64_t kNever = ~std::uint64_t{0};
  channel::Spd spd{concerning(now.policies, flow), now.default_in, now.default_out};
  const Rules today = rules_for(flow, spd);
  if (!requires_protection(today.out) || !requires_protection(today.in)) return kNever;
  for (auto entry = changes.rbegin(); entry != changes.rend(); ++entry) {
    if (entry->epoch > now_epoch) continue;
    if (!undo(entry->change, flow, spd)) continue;
    const Rules then = rules_for(flow, spd);
    if (!as_good(then.out, today.out) || !as_good(then.in, today.in)) return entry->epoch;
  }
  return floor;
}

std::uint64_t History::changed(SpdChange change) {
  const std::lock_guard lock(mutex_);
  if (immaterial(change)) return epoch_;
  changes_.push_back({++epoch_, std::move(change)});
  while (changes_.size() > max_changes_) {
    floor_ = std::max(floor_, changes_.front().epoch);
    changes_.pop_front();
  }
  return epoch_;
}

std::uint64_t History::reset() {
  const std::lock_guard lock(mutex_);
  changes_.clear();
  floor_ = ++epoch_;
  return epoch_;
}

std::uint64_t History::epoch() const {
  const std::lock_guard lock(mutex_);
  return epoch_;
}

void History::end_list(std::uint16_t protocol, std::uint64_t begun, const std::vector<std::uint64_t>& cookies) {
  {
    const std::lock_guard lock(mutex_);
    List& list = lists_[protocol];
    std::unordered_map<std::uint64_t, std::uint64_t> next;
    next.reserve(cookies.size());
    for (const std::uint64_t cookie : cookies) {
      const auto known = list.absent_at.find(cookie);
      next.emplace(cookie, known == list.absent_at.end() ? list.epoch : known->second);
    }
    list.absent_at.swap(next);
    list.epoch = begun;
  }
  listed_.notify_all();
}

void History::wait_list(std::uint16_t protocol, std::uint64_t epoch, Time deadline) const {
  std::unique_lock lock(mutex_);
  listed_.wait_until(lock, deadline, [&] {
    const auto list = lists_.find(protocol);
    return list != lists_.end() && list->second.epoch >= epoch;
  });
}

std::uint64_t History::absent(std::uint16_t protocol, std::uint64_t cookie) const {
  const auto list = lists_.find(protocol);
  if (list == lists_.end()) return 0;
  const auto known = list->second.absent_at.find(cookie);
  return known == list->second.absent_at.end() ? list->second.epoch : known->second;
}

bool History::since_start(std::uint64_t cookie, const channel::Flow& flow, const channel::Spd& spd, std::uint64_t spd_epoch) const {
  const std::lock_guard lock(mutex_);
  const std::uint64_t began_after = absent(flow.protocol, cookie);
  if (began_after == 0 || cookie == 0) return false;
  return protected_from(flow, spd, spd_epoch, changes_, floor_) <= began_after;
}

bool History::listed(std::uint16_t protocol, std::uint64_t cookie) const {
  const std::lock_guard lock(mutex_);
  const auto list = lists_.find(protocol);
  return list != lists_.end() && list->second.absent_at.contains(cookie);
}

std::size_t History::remembered() const {
  const std::lock_guard lock(mutex_);
  std::size_t count = changes_.size();
  for (const auto& [protocol, list] : lists_) count += list.absent_at.size();
  return count;
}

}  // namespace gssipsec::broker
