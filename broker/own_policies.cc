// SPDX-License-Identifier: MIT
#include "broker/own_policies.h"

#include <netinet/in.h>

#include <algorithm>
#include <set>
#include <string>

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;
using channel::Direction;
using Templates = std::vector<channel::Template>;

constexpr const char* kNotKnown = "which policies of sockets a former broker set is not known yet";

Templates bare(Templates templates, Direction direction) {
  for (channel::Template& entry : templates) {
    entry.spi = 0;
    if (entry.mode == channel::Mode::transport) (direction == Direction::out ? entry.source : entry.destination) = {};
  }
  return templates;
}

bool alike(const Templates& a, const Templates& b, Direction direction) { return bare(a, direction) == bare(b, direction); }

std::string peer_of(const PolicyPair& pair) { return pair.out.empty() ? "a peer that a former broker knew" : format(pair.out.front().destination); }

}  // namespace

bool PolicyPair::alike(const PolicyPair& other) const {
  return broker::alike(out, other.out, Direction::out) && broker::alike(in, other.in, Direction::in);
}

base::Status OwnPolicies::give(kernel::PolicyOwner owner, const PolicyPair& pair, std::uint32_t most, const Set& set) {
  const auto before = note(owner, pair, most);
  if (!before) return before.error();
  base::Status done = base::fail(Code::INTERNAL);
  try {
    done = set(owner);
  } catch (...) {
    settle(owner.cookie, false, *before);
    throw;
  }
  settle(owner.cookie, done.ok(), *before);
  return done;
}

// What was there before. Who takes over what another user asked for does so by REQUIRE, and may_move() lets root alone.
base::Result<std::optional<OwnPolicies::Entry>> OwnPolicies::note(kernel::PolicyOwner& owner, const PolicyPair& pair, std::uint32_t most) {
  const std::lock_guard lock(mutex_);
  const auto known = sockets_.find(owner.cookie);
  if (known != sockets_.end() && !known->second.taken_away && !owner.required) owner.uid = known->second.owner.uid;
  owner.required = owner.required || stays(known);
  if (known == sockets_.end()) {
    const Entry entry{owner, pair, !former_known_, false, kNotYet};
    if (!entry.counts()) return std::optional<Entry>();
    if (const base::Status status = room(owner.uid, most); !status.ok()) return status.error();
    sockets_.emplace(owner.cookie, entry);
    return std::optional<Entry>();
  }
  Entry& entry = known->second;
  const Entry before = entry;
  entry.several = entry.several || !entry.pair.alike(pair);
  entry.owner = owner;
  entry.pair = pair;
  entry.set = kNotYet;
  return std::optional(before);
}

// A stream's latch is counted where latches are.
bool OwnPolicies::Entry::counts() const { return owner.required || owner.protocol == IPPROTO_UDP; }

base::Status OwnPolicies::room(std::uint32_t uid, std::uint32_t most) const {
  if (sockets_.size() < most) return {};
  const auto held = std::ranges::count_if(sockets_, [uid](const auto& entry) { return entry.second.owner.uid == uid && entry.second.counts(); });
  if (static_cast<std::size_t>(held) < most) return {};
  return fail(Code::LIMIT, "wanted at most " + std::to_string(most) + " sockets of one user with policies of their own; close some");
}

// What was refused leaves a socket with what it had before, or with half of each.
void OwnPolicies::settle(std::uint64_t cookie, bool done, const std::optional<Entry>& before) {
  const std::lock_guard lock(mutex_);
  const auto entry = sockets_.find(cookie);
  if (entry == sockets_.end()) return;
  if (!done && !before) return void(sockets_.erase(entry));
  if (!done) entry->second = *before, entry->second.several = true;
  entry->second.set = now();
  if (done) entry->second.taken_away = false;
}

void OwnPolicies::take_away(std::uint64_t cookie) {
  const std::lock_guard lock(mutex_);
  const auto entry = sockets_.find(cookie);
  if (entry == sockets_.end()) return;
  if (!entry->second.counts()) return void(sockets_.erase(entry));
  entry->second.taken_away = true;
}

void OwnPolicies::close(std::uint64_t cookie) {
  const std::lock_guard lock(mutex_);
  sockets_.erase(cookie);
}

bool OwnPolicies::has(std::uint64_t cookie) const {
  const std::lock_guard lock(mutex_);
  const auto entry = sockets_.find(cookie);
  return !former_known_ || (entry != sockets_.end() && !entry->second.taken_away);
}

bool OwnPolicies::stays(const Entries::const_iterator& entry) const { return !former_known_ || (entry != sockets_.end() && entry->second.owner.required); }

bool OwnPolicies::stays(std::uint64_t cookie) const {
  const std::lock_guard lock(mutex_);
  return stays(sockets_.find(cookie));
}

bool OwnPolicies::has_streams() const {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(sockets_, [](const auto& entry) { return entry.second.owner.protocol == IPPROTO_TCP; });
}

base::Status OwnPolicies::may_move(std::uint64_t cookie, std::uint32_t uid) const {
  const std::lock_guard lock(mutex_);
  if (!former_known_) return fail(Code::BUSY, kNotKnown);
  const auto entry = sockets_.find(cookie);
  if (uid == 0 || entry == sockets_.end() || entry->second.taken_away || entry->second.owner.uid == uid) return {};
  return fail(Code::LATCH_OF_OTHER, "uid " + std::to_string(entry->second.owner.uid) + " asked for its protection");
}

base::Status OwnPolicies::may_listen(std::uint64_t cookie, std::uint32_t uid, const PolicyPair& pair) const {
  if (base::Status others = may_move(cookie, uid); !others.ok()) return others;
  const std::lock_guard lock(mutex_);
  const auto entry = sockets_.find(cookie);
  if (entry == sockets_.end() || !entry->second.owner.required || entry->second.pair.alike(pair)) return {};
  return fail(Code::OWN_POLICY, "wanted a latch to " + peer_of(pair) + ", found what REQUIRE set, for " + peer_of(entry->second.pair));
}

base::Status OwnPolicies::always(std::uint64_t cookie, const std::vector<channel::Template>& in) const {
  const std::lock_guard lock(mutex_);
  if (!former_known_) return fail(Code::UNKNOWN, kNotKnown);
  const auto entry = sockets_.find(cookie);
  if (entry == sockets_.end()) return {};
  if (entry->second.several) return fail(Code::UNKNOWN, "the socket had several policies of its own, and under which of them the datagram came nobody knows");
  if (broker::alike(entry->second.pair.in, in, Direction::in)) return {};
  return fail(Code::UNKNOWN, "the socket has, or had, a policy of its own, for another peer than the datagram's source");
}

void OwnPolicies::unheard(Time now) {
  const std::lock_guard lock(mutex_);
  unheard_ = now;
}

bool OwnPolicies::to_be_listed() const {
  const std::lock_guard lock(mutex_);
  return !former_known_ || (!sockets_.empty() && listed_ <= unheard_);
}

// A policy that was set meanwhile, or put into another's place, may be missing in the kernel's list.
void OwnPolicies::listed(const std::vector<kernel::PolicyOwner>& owners, Time before) {
  std::set<std::uint64_t> found;
  for (const kernel::PolicyOwner& owner : owners) found.insert(owner.cookie);
  const std::lock_guard lock(mutex_);
  if (!former_known_) std::ranges::for_each(owners, [this](const kernel::PolicyOwner& owner) { adopt(owner); });
  former_known_ = true;
  listed_ = before;
  std::erase_if(sockets_, [&](const auto& entry) {
    const auto& [cookie, kept] = entry;
    return kept.set < before && !kept.taken_away && !found.contains(cookie);
  });
}

void OwnPolicies::adopt(const kernel::PolicyOwner& owner) { sockets_.try_emplace(owner.cookie, Entry{.owner = owner, .several = true}); }

std::size_t OwnPolicies::size() const {
  const std::lock_guard lock(mutex_);
  return sockets_.size();
}

}  // namespace gssipsec::broker
