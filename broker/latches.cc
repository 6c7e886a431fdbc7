// SPDX-License-Identifier: MIT
#include "broker/latches.h"

#include <algorithm>

namespace gssipsec::broker {

using protocol::LatchState;

bool same_connection(const channel::Flow& a, const channel::Flow& b) noexcept {
  return a.protocol == b.protocol && a.local == b.local && a.remote == b.remote && a.local_port == b.local_port &&
         a.remote_port == b.remote_port;
}

void Latches::tell(const Latch& latch) {
  for (const Reference& context : latch.contexts) context.page->set(context.slot, latch.status.state);
}

// The slots keep their last word until their contexts release them.
void Latches::end(Latch& latch, LatchState state) {
  latch.status.state = state;
  tell(latch);
  latch.contexts.clear();
}

base::Result<Slot> Latches::establish(const LatchSetup& setup, const std::shared_ptr<Page>& page, Time when) {
  const std::lock_guard lock(mutex_);
  const auto slot = page->take(LatchState::established);
  if (!slot) return slot.error();
  const auto [entry, fresh] = latches_.try_emplace(setup.cookie);
  Latch& latch = entry->second;
  if (!fresh && !same_connection(latch.setup.flow, setup.flow))
    end(latch, LatchState::closed);
  else if (!fresh && !congruent(latch.setup.parameters, setup.parameters).ok())
    end(latch, LatchState::broken);
  const std::uint32_t owner = fresh ? setup.owner : latch.setup.owner;
  latch.setup = setup;
  latch.setup.owner = owner;
  latch.status = {LatchState::established, {}};
  latch.stale_since = Time();
  latch.made = when;
  latch.contexts.push_back({page, *slot});
  cookies_[{page.get(), slot->number}] = setup.cookie;
  index_.put_unsettled(setup.cookie, setup.flow);
  tell(latch);
  return slot;
}

std::optional<LatchInfo> Latches::find(std::uint64_t cookie, const channel::Flow& flow) const {
  const std::lock_guard lock(mutex_);
  const auto entry = latches_.find(cookie);
  if (entry == latches_.end() || !same_connection(entry->second.setup.flow, flow)) return std::nullopt;
  const Latch& latch = entry->second;
  return LatchInfo{latch.status, latch.setup.parameters, latch.setup.owner, latch.setup.since_start, latch.setup.flow, latch.setup.around};
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
  std::vector<Broken> broken;
  for (const std::uint64_t cookie : cookies)
    if (auto one = reassess(cookie, board, when)) broken.push_back(*std::move(one));
  return broken;
}

std::optional<Latches::Broken> Latches::reassess(std::uint64_t cookie, const Board& board, Time when) {
  const std::lock_guard lock(mutex_);
  const auto entry = latches_.find(cookie);
  if (entry == latches_.end()) return std::nullopt;
  Latch& latch = entry->second;
  const LatchState before = latch.status.state;
  const View view = board.look(latch.setup.flow);
  const Assessment now = assess(latch.setup.flow, latch.setup.around, view, when);
  latch.status = next_status(latch.status, latch.setup.parameters, now, latch.setup.flow, view.fresh, when, latch.stale_since);
  if (!view.fresh || latch.stale_since != Time()) index_.put_unsettled(cookie, latch.setup.flow);
  else index_.put(cookie, latch.setup.flow, footing_of(view));
  if (latch.status.state == before) return std::nullopt;
  tell(latch);
  if (latch.status.state != LatchState::broken) return std::nullopt;
  return Broken{latch.setup.flow, cookie, latch.setup.owner, latch.stale_since == Time(), latch.status.why};
}

bool Latches::any_stale() const {
  const std::lock_guard lock(mutex_);
  return std::any_of(latches_.begin(), latches_.end(), [](const auto& entry) { return entry.second.stale_since != Time(); });
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
  if (entry == latches_.end() || !same_connection(entry->second.setup.flow, flow) || !page->holds(slot)) return false;
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

void Latches::close_gone(const std::function<bool(std::uint16_t, std::uint64_t)>& there, Time before) {
  const std::lock_guard lock(mutex_);
  for (auto entry = latches_.begin(); entry != latches_.end();) {
    Latch& latch = entry->second;
    if (latch.made < before && !there(latch.setup.flow.protocol, entry->first)) {
      end(latch, LatchState::closed);
      index_.remove(entry->first);
      entry = latches_.erase(entry);
    } else {
      ++entry;
    }
  }
}

std::size_t Latches::size() const {
  const std::lock_guard lock(mutex_);
  return latches_.size();
}

}  // namespace gssipsec::broker
