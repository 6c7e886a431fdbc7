// SPDX-License-Identifier: MIT
#include "broker/board.h"

namespace gssipsec::broker {
namespace {

// A daemon installs an SA some time before it lists it.
constexpr auto kYoung = std::chrono::seconds(1);

}  // namespace

std::optional<channel::PeerInfo> View::peer_of(const channel::SaId& id) const {
  const auto arrival = arrivals->find(id);
  const std::uint64_t since = arrival == arrivals->end() ? 0 : arrival->second.sequence;
  for (const SourceState& source : sources) {
    if (source.answered < since) continue;
    const auto peer = source.snapshot->peers.find(id);
    if (peer != source.snapshot->peers.end()) return peer->second;
  }
  return std::nullopt;
}

bool View::peer_may_come(const channel::SaId& id, Time now) const {
  const auto arrival = arrivals->find(id);
  if (arrival == arrivals->end()) return false;
  for (const SourceState& source : sources)
    if (source.asked < arrival->second.sequence || (source.healthy && now - arrival->second.when < kYoung)) return true;
  return false;
}

Board::Board() {
  view_.databases = std::make_shared<const kernel::Databases>();
  view_.arrivals = std::make_shared<const Arrivals>();
}

View Board::current() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

View Board::newer_than(std::uint64_t version, Time deadline) const {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline, [this, version] { return view_.version > version; });
  return view_;
}

void Board::publish_databases(std::shared_ptr<const kernel::Databases> databases, bool fresh, std::uint64_t epoch,
                              std::shared_ptr<const Arrivals> arrivals, std::uint64_t arrivals_seen) {
  {
    const std::lock_guard lock(mutex_);
    view_.databases.swap(databases);  // the old one goes outside the lock
    view_.fresh = fresh;
    view_.epoch = epoch;
    view_.arrivals = std::move(arrivals);
    view_.arrivals_seen = arrivals_seen;
    ++view_.version;
  }
  changed_.notify_all();
}

void Board::set_stale() {
  const std::lock_guard lock(mutex_);
  view_.fresh = false;
  ++view_.version;
}

void Board::publish_sources(std::vector<SourceState> sources) {
  {
    const std::lock_guard lock(mutex_);
    view_.sources.swap(sources);
    ++view_.version;
  }
  changed_.notify_all();
}

void Board::set_refresh_bell(std::function<void()> bell) { bell_ = std::move(bell); }

void Board::ask_refresh() const {
  if (bell_) bell_();
}

}  // namespace gssipsec::broker
