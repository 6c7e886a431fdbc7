// SPDX-License-Identifier: MIT
#include "broker/subscriptions.h"

#include <algorithm>
#include <utility>

#include "broker/core.h"

namespace gssipsec::broker {
namespace {

using protocol::Event;
using protocol::EventType;
using protocol::LatchState;
using protocol::Scope;

bool wants(const Subscription& subscription, EventType type) { return subscription.types & event_bit(type); }

std::string text_of(const std::optional<channel::PeerInfo>& peer) { return peer ? format(peer->remote) : std::string(); }

bool about(const Picture& picture, const ike::Notice& notice) {
  return picture.peer && picture.peer->ike_sa == notice.ike_sa && picture.peer->negotiated;
}

}  // namespace

base::Result<std::uint32_t> Subscriptions::add(Subscription subscription, std::uint32_t most) {
  const std::lock_guard lock(mutex_);
  std::uint32_t& count = per_user_[subscription.uid];
  if (count >= most) return base::fail(base::Code::LIMIT, "wanted at most " + std::to_string(most) + " subscriptions of one user");
  ++count;
  const std::uint32_t number = ++last_number_[subscription.connection];
  entries_.emplace(Key{subscription.connection, number}, Entry{std::move(subscription), true});
  return number;
}

bool Subscriptions::remove(std::uint64_t connection, std::uint32_t number) {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find({connection, number});
  if (entry == entries_.end()) return false;
  const auto user = per_user_.find(entry->second.uid);
  if (--user->second == 0) per_user_.erase(user);
  entries_.erase(entry);
  return true;
}

void Subscriptions::drop(std::uint64_t connection) {
  const std::lock_guard lock(mutex_);
  auto entry = entries_.lower_bound({connection, 0});
  while (entry != entries_.end() && entry->first.first == connection) {
    const auto user = per_user_.find(entry->second.uid);
    if (--user->second == 0) per_user_.erase(user);
    entry = entries_.erase(entry);
  }
  last_number_.erase(connection);
}

std::vector<std::uint64_t> Subscriptions::listening_to_all() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::uint64_t> found;
  for (const auto& [key, entry] : entries_)
    if (entry.scope == Scope::all && (found.empty() || found.back() != key.first)) found.push_back(key.first);
  return found;
}

std::size_t Subscriptions::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

Event Subscriptions::blank(EventType type, const base::Error& why) {
  Event event;
  event.type = type;
  event.when = realtime();
  event.code = why.code;
  event.detail = why.detail;
  return event;
}

// SPIs are root's to know.
void Subscriptions::put(const Key& key, const Entry& entry, Event event, const std::vector<channel::SaId>& sas) {
  if (!wants(entry, event.type)) return;
  event.subscription = key.second;
  if (entry.root)
    for (const channel::SaId& id : sas) event.sas.push_back(format(id));
  ready_.push_back({key.first, entry.request, std::move(event)});
}

void Subscriptions::say(const Key& key, const Entry& entry, const Change& change) {
  Event event = blank(change.type, change.why);
  event.cookie = entry.cookie;
  event.flow = entry.flow;
  event.peer = text_of(entry.picture.peer);
  put(key, entry, std::move(event), change.sas);
}

void Subscriptions::say_to_all(const Change& change, const std::string& peer, std::uint64_t cookie, const channel::Flow& flow) {
  for (const auto& [key, entry] : entries_) {
    if (entry.scope != Scope::all) continue;
    Event event = blank(change.type, change.why);
    event.cookie = cookie;
    event.flow = flow;
    event.peer = peer;
    put(key, entry, std::move(event), change.sas);
  }
}

void Subscriptions::say_of_sa(EventType type, const channel::SaId& id) {
  const Change change{.type = type, .sas = {id}};
  for (const auto& [key, entry] : entries_)
    if (entry.scope == Scope::socket && carries(entry.picture, id)) say(key, entry, change);
  say_to_all(change, {}, 0, {});
}

void Subscriptions::say_of_peer(EventType type, const ike::Notice& notice) {
  const Change change{.type = type, .why = {base::Code::ok, notice.connection}};
  for (const auto& [key, entry] : entries_)
    if (type == EventType::peer_dead && entry.scope == Scope::socket && about(entry.picture, notice)) say(key, entry, change);
  say_to_all(change, notice.remote.type == channel::IdType::none ? std::string() : format(notice.remote), 0, {});
}

void Subscriptions::note(const kernel::Event& event) {
  const std::lock_guard lock(mutex_);
  if (entries_.empty()) return;
  if (const auto* expired = std::get_if<kernel::SaExpired>(&event); expired && !expired->hard) say_of_sa(EventType::expiring, expired->id);
  if (const auto* mapped = std::get_if<kernel::Mapped>(&event)) say_of_sa(EventType::nat_mapping, mapped->id);
  if (std::holds_alternative<kernel::Migrated>(event)) say_to_all({.type = EventType::migrated}, {}, 0, {});
}

void Subscriptions::note(const ike::Notice& notice) {
  const std::lock_guard lock(mutex_);
  switch (notice.kind) {
    case ike::Notice::Kind::child_rekeyed: return say_of_peer(EventType::rekeyed, notice);
    case ike::Notice::Kind::addresses_changed: return say_of_peer(EventType::migrated, notice);
    case ike::Notice::Kind::peer_dead: return say_of_peer(EventType::peer_dead, notice);
  }
}

void Subscriptions::note_broken(const Latches::Broken& broken) {
  const std::lock_guard lock(mutex_);
  for (auto& [key, entry] : entries_)
    if (entry.cookie == broken.cookie && entry.scope == Scope::socket) entry.touched = true;
  say_to_all({.type = EventType::latch_broken, .why = broken.why}, {}, broken.cookie, broken.flow);
}

// Once for each connection: numbered 0, for all of its subscriptions.
void Subscriptions::note_lost(const std::string& why) {
  const std::lock_guard lock(mutex_);
  std::uint64_t last = 0;
  for (auto& [key, entry] : entries_) {
    entry.touched = true;
    if (key.first == last) continue;
    last = key.first;
    ready_.push_back({key.first, entry.request, blank(EventType::lost, base::fail(base::Code::NETLINK_LOST, why))});
  }
}

void Subscriptions::touch() {
  const std::lock_guard lock(mutex_);
  for (auto& [key, entry] : entries_) entry.touched = true;
}

void Subscriptions::touch(const Changes& changes) {
  const std::lock_guard lock(mutex_);
  for (auto& [key, entry] : entries_)
    if (entry.scope == Scope::socket && may_concern(changes, entry.flow, entry.footing)) entry.touched = true;
}

LatchState Subscriptions::latch_of(const Entry& entry) const {
  const auto latch = latches_.find(entry.cookie, entry.flow);
  return latch ? latch->status.state : LatchState::none;
}

void Subscriptions::touch_changed_latches() {
  const std::lock_guard lock(mutex_);
  for (auto& [key, entry] : entries_)
    if (entry.scope == Scope::socket && latch_of(entry) != entry.picture.latch) entry.touched = true;
}

// What may improve by itself soon is no news yet: an SA that the IKE daemon has not named, a mirror behind the kernel. A
// broken latch is.
void Subscriptions::look_at(const Key& key, Entry& entry, const Look& look) {
  Looked looked = look(entry.flow, entry.around);
  const Assessment& now = looked.assessment;
  entry.footing = std::move(looked.footing);
  const LatchState latch = latch_of(entry);
  if (now.may_improve && latch != LatchState::broken) return;
  Picture picture = picture_of(now, latch);
  std::vector<Change> changes = differences(entry.picture, picture);
  if (latch == LatchState::broken)
    if (const auto info = latches_.find(entry.cookie, entry.flow))
      for (Change& change : changes)
        if (change.type == EventType::latch_broken) change.why = info->status.why;
  advance(entry.picture, std::move(picture));
  entry.touched = now.may_improve;
  for (const Change& change : changes) {
    say(key, entry, change);
    if (change.type == EventType::latch_restored) say_to_all(change, text_of(entry.picture.peer), entry.cookie, entry.flow);
  }
}

std::vector<Delivery> Subscriptions::collect(const Look& look, bool fresh) {
  const std::lock_guard lock(mutex_);
  if (fresh)
    for (auto& [key, entry] : entries_)
      if (entry.scope == Scope::socket && entry.touched) look_at(key, entry, look);
  return std::exchange(ready_, {});
}

}  // namespace gssipsec::broker
