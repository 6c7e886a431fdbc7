// SPDX-License-Identifier: MIT
#include "broker/board.h"

#include <algorithm>
#include <utility>

#include "channel/slice.h"

namespace gssipsec::broker {
namespace {

// A daemon installs an SA some time before it lists it.
constexpr auto kYoung = std::chrono::seconds(1);

bool may_yet_name(const SourceState& source, const Arrival& arrival, Time now) {
  return source.asked < arrival.sequence || (source.healthy && now - arrival.when < kYoung);
}

}  // namespace

std::optional<channel::PeerInfo> View::peer_of(const channel::SaId& id, Time now) const {
  const auto arrival = arrivals.find(id);
  const std::uint64_t since = arrival == arrivals.end() ? 0 : arrival->second.sequence;
  for (const SourceState& source : sources) {
    const auto peer = source.snapshot->peers.find(id);
    if (source.answered >= since && peer != source.snapshot->peers.end()) return peer->second;
    if (source.healthy && arrival != arrivals.end() && may_yet_name(source, arrival->second, now)) return std::nullopt;
  }
  return std::nullopt;
}

bool View::peer_may_come(const channel::SaId& id, Time now) const {
  const auto arrival = arrivals.find(id);
  if (arrival == arrivals.end()) return false;
  return std::ranges::any_of(sources, [&](const SourceState& source) { return may_yet_name(source, arrival->second, now); });
}

std::uint64_t Board::version() const {
  const std::lock_guard lock(mutex_);
  return outline_.version;
}

Outline Board::outline() const {
  const std::lock_guard lock(mutex_);
  return outline_;
}

View view_of(const Outline& outline, const kernel::Tables& tables, const channel::Flow& flow) {
  auto databases = std::make_shared<kernel::Databases>();
  View view;
  static_cast<Outline&>(view) = outline;
  channel::Slice slice = channel::slice_of(flow, tables.spd, tables.sad);
  view.cut = slice.cut;
  databases->spd = std::move(slice.spd);
  databases->sad.sas.reserve(slice.sas.size());
  for (const channel::SadIndex::Held* held : slice.sas) {
    databases->sad.sas.push_back(held->sa);
    view.arrivals[held->sa.id] = held->arrival;
  }
  view.databases = std::move(databases);
  return view;
}

View Board::look(const channel::Flow& flow) const {
  const std::lock_guard lock(mutex_);
  return view_of(outline_, tables_, flow);
}

void Board::wait_newer(std::uint64_t version, Time deadline) const {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline, [this, version] { return outline_.version > version; });
}

bool Board::has_templates() const {
  const std::lock_guard lock(mutex_);
  return tables_.spd.has_templates();
}

channel::Sad Board::between(const std::vector<channel::AddressPair>& ends) const {
  channel::Sad sad;
  const std::lock_guard lock(mutex_);
  for (const channel::AddressPair& pair : ends)
    for (const channel::SadIndex::Held& held : tables_.sad.between(pair.source, pair.destination)) sad.sas.push_back(held.sa);
  return sad;
}

void Board::read(const std::function<void(const kernel::Tables&)>& visit) const {
  const std::lock_guard lock(mutex_);
  visit(tables_);
}

void Board::edit(const Edit& edit) {
  const std::lock_guard lock(mutex_);
  outline_.epoch = edit(tables_, outline_.epoch);
}

void Board::publish(bool fresh, std::uint64_t arrivals_seen) {
  {
    const std::lock_guard lock(mutex_);
    outline_.fresh = fresh;
    outline_.arrivals_seen = arrivals_seen;
    ++outline_.version;
  }
  changed_.notify_all();
}

void Board::set_stale() {
  const std::lock_guard lock(mutex_);
  outline_.fresh = false;
  ++outline_.version;
}

void Board::publish_sources(std::vector<SourceState> sources) {
  {
    const std::lock_guard lock(mutex_);
    outline_.sources.swap(sources);
    ++outline_.version;
  }
  changed_.notify_all();
}

void Board::set_refresh_bell(std::function<void()> bell) { bell_ = std::move(bell); }

void Board::ask_refresh() const {
  if (bell_) bell_();
}

}  // namespace gssipsec::broker
