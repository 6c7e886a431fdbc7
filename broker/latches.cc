// SPDX-License-Identifier: MIT
#include "broker/latches.h"

#include <algorithm>
#include <utility>

namespace gssipsec::broker {

using protocol::LatchState;

bool same_connection(const channel::Flow& a, const channel::Flow& b) noexcept {
  return a.protocol == b.protocol && a.local == b.local && a.remote == b.remote && a.local_port == b.local_port &&
         a.remote_port == b.remote_port;
}

namespace {

// A listener's latch is the same whichever peer's SAs it asks for.
bool is_of(const LatchSetup& setup, const channel::Flow& flow) {
  if (!setup.listener) return same_connection(setup.flow, flow);
  return flow.remote_port == 0 && flow.protocol == setup.flow.protocol && flow.local_port == setup.flow.local_port;
}

// An SCTP association has several addresses, and shows another one of them than the socket.
bool has_connection(const kernel::DiagSocket& socket, const channel::Flow& flow) {
  constexpr std::uint16_t kSctp = 132;
  const bool addresses = flow.protocol == kSctp || (socket.local == flow.local && socket.remote == flow.remote);
  return addresses && socket.local_port == flow.local_port && socket.remote_port == flow.remote_port;
}

}  // namespace

void Latches::tell(const Latch& latch) {
  for (const Reference& context : latch.contexts) context.page->set(context.slot, latch.status.state);
}

// The slots keep their last word until their contexts release them.
void Latches::end(Latch& latch, LatchState last) {
  latch.status.state = last;
  tell(latch);
  latch.contexts.clear();
}

base::Result<Slot> Latches::establish(const LatchSetup& setup, const std::shared_ptr<Page>& page, Time when) {
  const std::lock_guard lock(mutex_);
  const auto known = latches_.find(setup.cookie);
  const bool same = known != latches_.end() && is_of(known->second.setup, setup.flow);
  if (same && !setup.listener) {
    const base::Status alike = congruent(known->second.setup.parameters, setup.parameters);
    if (!alike.ok()) return alike.error();
  }
  const LatchState state = setup.listener ? LatchState::listener : enforced(setup.parameters) ? LatchState::established : LatchState::monitored;
  const auto slot = page->take(state);
  if (!slot) return slot.error();
  Latch& latch = latches_[setup.cookie];
  if (!same) end(latch, LatchState::closed);
  const std::uint32_t owner = same ? latch.setup.owner : setup.owner;
  listeners_ += std::size_t{setup.listener} - std::size_t{latch.setup.listener};
  latch.setup = setup;
  latch.setup.owner = owner;
  latch.status = {state, {}};
  latch.stale_since = Time();
  latch.made = when;
  latch.contexts.push_back({page, *slot, setup.context});
  cookies_[{page.get(), slot->number}] = setup.cookie;
  index_.put_unsettled(setup.cookie, setup.flow);
  tell(latch);
  return slot;
}

std::optional<LatchInfo> Latches::find(std::uint64_t cookie, const channel::Flow& flow) const {
  const std::lock_guard lock(mutex_);
  const auto entry = latches_.find(cookie);
  if (entry == latches_.end() || !is_of(entry->second.setup, flow)) return std::nullopt;
  const Latch& latch = entry->second;
  return LatchInfo{latch.status, latch.setup.parameters, latch.setup.owner, latch.setup.since_start, latch.setup.flow, latch.setup.around};
}

bool Latches::holds(std::uint64_t cookie, const channel::Flow& flow) const {
  const auto found = find(cookie, flow);
  return found && (found->status.state == LatchState::established || found->status.state == LatchState::monitored);
}

std::vector<Latches::Broken> Latches::reevaluate(const Board& board, const Changes& changes, Time when) {
  return reassess(concerned(changes), board, when);
}

std::vector<Latches::Broken> Latches::reevaluate(const Board& board, Time when) {
  Changes all;
  all.everything = true;
  return reevaluate(board, all, when);
}

std::vector<Latches::Broken> Latches::reevaluate_unsettled(const Board& board, Time when) { return reassess(unsettled(), board, when); }

std::vector<std::uint64_t> Latches::concerned(const Changes& changes) const {
  const std::lock_guard lock(mutex_);
  if (auto found = index_.concerned(changes)) return *std::move(found);
  std::vector<std::uint64_t> all;
  for (const auto& [cookie, latch] : latches_) all.push_back(cookie);
  return all;
}

std::vector<std::uint64_t> Latches::unsettled() const {
  const std::lock_guard lock(mutex_);
  return index_.unsettled();
}

std::vector<Latches::Broken> Latches::reassess(const std::vector<std::uint64_t>& cookies, const Board& board, Time when) {
  std::vector<Broken> broken = take_untold();
  for (const std::uint64_t cookie : cookies)
    if (auto one = reassess(cookie, board, when)) broken.push_back(*std::move(one));
  return broken;
}

std::vector<Latches::Broken> Latches::take_untold() {
  const std::lock_guard lock(mutex_);
  return std::exchange(untold_, {});
}

void Latches::recheck(std::uint64_t cookie, const Board& board, Time when) {
  auto broken = reassess(cookie, board, when);
  const std::lock_guard lock(mutex_);
  if (broken) untold_.push_back(*std::move(broken));
}

std::optional<Latches::Broken> Latches::reassess(std::uint64_t cookie, const Board& board, Time when) {
  const std::lock_guard lock(mutex_);
  const auto entry = latches_.find(cookie);
  if (entry == latches_.end()) return std::nullopt;
  Latch& latch = entry->second;
  const LatchState before = latch.status.state;
  const bool doubtful = latch.stale_since != Time();
  const View view = board.look(latch.setup.flow);
  const Assessment now = assess(latch.setup.flow, latch.setup.around, view, when);
  latch.status = latch.setup.listener
                     ? next_listener_status(latch.status, latch.setup.parameters, now, latch.setup.around, latch.setup.flow, view.fresh)
                     : next_status(latch.status, latch.setup.parameters, now, latch.setup.flow, view.fresh, when, latch.stale_since);
  if (!view.fresh || latch.stale_since != Time()) index_.put_unsettled(cookie, latch.setup.flow);
  else index_.put(cookie, latch.setup.flow, footing_of(view));
  const bool proven = latch.stale_since == Time(), told = latch.status.state == before;
  if (!told) tell(latch);
  if (latch.status.state != LatchState::broken || (told && !(doubtful && proven))) return std::nullopt;
  return Broken{latch.setup.flow, cookie, latch.setup.owner, proven, told, latch.status.why};
}

bool Latches::any_stale() const {
  const std::lock_guard lock(mutex_);
  return std::any_of(latches_.begin(), latches_.end(), [](const auto& entry) { return entry.second.stale_since != Time(); });
}

bool Latches::any_listener() const {
  const std::lock_guard lock(mutex_);
  return listeners_ > 0;
}

void Latches::leave(const Context& context, std::uint64_t cookie) {
  const auto latch = latches_.find(cookie);
  if (latch == latches_.end()) return;
  std::erase_if(latch->second.contexts,
                [&context](const Reference& other) { return other.page.get() == context.first && other.slot.number == context.second; });
}

void Latches::release(const std::shared_ptr<Page>& page, const Slot& slot) {
  const std::lock_guard lock(mutex_);
  if (!page->holds(slot)) return;
  const auto entry = cookies_.find({page.get(), slot.number});
  if (entry != cookies_.end()) {
    leave(entry->first, entry->second);
    cookies_.erase(entry);
  }
  page->give_back(slot);
}

bool Latches::rests_on(const std::shared_ptr<Page>& page, const Slot& slot, std::uint64_t cookie, const channel::Flow& flow) const {
  const std::lock_guard lock(mutex_);
  const auto entry = latches_.find(cookie);
  if (entry == latches_.end() || !is_of(entry->second.setup, flow) || !page->holds(slot)) return false;
  return std::any_of(entry->second.contexts.begin(), entry->second.contexts.end(),
                     [&](const Reference& context) { return context.page == page && context.slot.number == slot.number; });
}

void Latches::drop_page(const std::shared_ptr<Page>& page) {
  const std::lock_guard lock(mutex_);
  const auto first = cookies_.lower_bound({page.get(), 0});
  auto entry = first;
  for (; entry != cookies_.end() && entry->first.first == page.get(); ++entry) leave(entry->first, entry->second);
  cookies_.erase(first, entry);
}

void Latches::close(std::uint64_t cookie) {
  const std::lock_guard lock(mutex_);
  const auto entry = latches_.find(cookie);
  if (entry != latches_.end()) forget(entry, word_of_closed(entry->second));
}

void Latches::remove(std::uint64_t cookie) {
  const std::lock_guard lock(mutex_);
  const auto entry = latches_.find(cookie);
  if (entry != latches_.end()) forget(entry, LatchState::closed);
}

// That it broke says more than that its socket was closed then, which a kernel with SOCK_DESTROY does for that very reason.
LatchState Latches::word_of_closed(const Latch& latch) noexcept { return latch.status.state == LatchState::broken ? LatchState::broken : LatchState::closed; }

Latches::Entry Latches::forget(Entry entry, LatchState last) {
  end(entry->second, last);
  index_.remove(entry->first);
  listeners_ -= std::size_t{entry->second.setup.listener};
  return latches_.erase(entry);
}

base::Status Latches::may_remove(std::uint64_t cookie, std::uint32_t uid, bool root) const {
  const std::lock_guard lock(mutex_);
  const auto entry = latches_.find(cookie);
  if (entry == latches_.end()) return base::fail(base::Code::NO_LATCH, "a broker does not know those that were set before it began");
  const Latch& latch = entry->second;
  if (!root && latch.setup.owner != uid) return base::fail(base::Code::LATCH_OF_OTHER, "uid " + std::to_string(latch.setup.owner) + " did, not uid " + std::to_string(uid));
  const auto contexts = std::count_if(latch.contexts.begin(), latch.contexts.end(), [](const Reference& one) { return one.context; });
  if (contexts > 0) return base::fail(base::Code::LATCH_IN_USE, "found " + std::to_string(contexts));
  return {};
}

void Latches::close_gone(const std::function<bool(std::uint16_t, std::uint64_t)>& there, Time before) {
  const std::lock_guard lock(mutex_);
  for (auto entry = latches_.begin(); entry != latches_.end();) {
    const Latch& latch = entry->second;
    const bool gone = latch.made < before && !there(latch.setup.flow.protocol, entry->first);
    entry = gone ? forget(entry, word_of_closed(latch)) : std::next(entry);
  }
}

void Latches::close_moved(const std::vector<kernel::DiagSocket>& sockets, Time before) {
  const std::lock_guard lock(mutex_);
  for (const kernel::DiagSocket& socket : sockets) {
    const auto entry = latches_.find(socket.cookie);
    if (entry == latches_.end() || entry->second.made >= before || entry->second.setup.listener || has_connection(socket, entry->second.setup.flow)) continue;
    forget(entry, LatchState::closed);
  }
}

base::Status Latches::room(std::uint64_t cookie, std::uint32_t owner, std::uint32_t most) const {
  const std::lock_guard lock(mutex_);
  if (latches_.size() < most || latches_.contains(cookie)) return {};
  const auto held = std::ranges::count_if(latches_, [owner](const auto& entry) { return entry.second.setup.owner == owner; });
  if (static_cast<std::size_t>(held) < most) return {};
  return base::fail(base::Code::LIMIT, "wanted at most " + std::to_string(most) + " latched sockets of one user");
}

protocol::LatchesReply Latches::list(std::uint64_t after, std::size_t most) const {
  const std::lock_guard lock(mutex_);
  protocol::LatchesReply reply;
  auto entry = latches_.upper_bound(after);
  for (; entry != latches_.end() && reply.latches.size() < most; ++entry) {
    const Latch& latch = entry->second;
    reply.latches.push_back({entry->first, latch.status.state, latch.setup.flow, latch.setup.owner});
  }
  reply.more = entry != latches_.end();
  return reply;
}

std::size_t Latches::size() const {
  const std::lock_guard lock(mutex_);
  return latches_.size();
}

}  // namespace gssipsec::broker
