// SPDX-License-Identifier: MIT
#include "broker/exporters.h"

#include <algorithm>

namespace gssipsec::broker {
namespace {

base::Result<channel::SaKeys> read_keys(Bench& bench, const channel::Sa& sa) {
  const auto port = bench.xfrm();
  if (!port) return port.error();
  auto keys = kernel::read_keys(**port, sa.id);
  if (!keys) {
    if (keys.error().code != base::Code::SA_GONE) bench.drop_xfrm();
    return keys.error();
  }
  if (keys->added != sa.added) return base::fail(base::Code::SA_GONE, "another SA has its name now");
  return keys;
}

// The least recently used makes room.
template <typename Map>
void make_room(Map& map, std::size_t limit) {
  if (map.size() < limit) return;
  map.erase(std::min_element(map.begin(), map.end(), [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
}

}  // namespace

base::Result<SharedExporter> Exporters::of(Bench& bench, const channel::Sa& to_acceptor, const channel::Sa& to_initiator, Time now) {
  const PairKey key{to_acceptor.id, to_initiator.id, to_acceptor.added, to_initiator.added};
  {
    const std::lock_guard lock(mutex_);
    const auto known = pairs_.find(key);
    if (known != pairs_.end()) {
      known->second.used = now;
      return known->second.exporter;
    }
  }
  const auto to_acceptor_keys = read_keys(bench, to_acceptor);
  if (!to_acceptor_keys) return to_acceptor_keys.error();
  const auto to_initiator_keys = read_keys(bench, to_initiator);
  if (!to_initiator_keys) return to_initiator_keys.error();
  auto made = channel::Exporter::make(*to_acceptor_keys, *to_initiator_keys);
  if (!made) return made.error();
  auto exporter = std::make_shared<const channel::Exporter>(std::move(*made));
  const std::lock_guard lock(mutex_);
  make_room(pairs_, kLimit);
  pairs_[key] = {exporter, now};
  return SharedExporter(exporter);
}

base::Result<base::Bytes> Exporters::tag(Bench& bench, const channel::Sa& sa) {
  const TagKey key{sa.id, sa.added};
  {
    const std::lock_guard lock(mutex_);
    const auto known = tags_.find(key);
    if (known != tags_.end()) return known->second;
  }
  const auto keys = read_keys(bench, sa);
  if (!keys) return keys.error();
  const auto made = channel::selection_tag(*keys);
  if (!made) return made.error();
  base::Bytes octets(made->view().begin(), made->view().end());
  const std::lock_guard lock(mutex_);
  if (tags_.size() >= kLimit) tags_.clear();
  tags_[key] = octets;
  return octets;
}

base::Result<channel::Sa> Exporters::choose(Bench& bench, const std::vector<channel::Sa>& carriers) {
  if (carriers.empty()) return base::fail(base::Code::NO_SA);
  if (carriers.size() == 1) return carriers.front();
  std::optional<base::Error> failure;
  const channel::Sa* best = nullptr;
  base::Bytes smallest;
  for (const channel::Sa& sa : carriers) {
    auto mine = tag(bench, sa);
    if (!mine) {
      failure = mine.error();
      continue;  // it may just have gone; the others decide
    }
    if (!best || *mine < smallest) {
      best = &sa;
      smallest = std::move(*mine);
    }
  }
  if (best) return *best;
  return *failure;
}

void Exporters::forget(const channel::SaId& id) {
  const std::lock_guard lock(mutex_);
  std::erase_if(pairs_, [&id](const auto& pair) { return pair.first.to_acceptor == id || pair.first.to_initiator == id; });
  std::erase_if(tags_, [&id](const auto& tag) { return tag.first.first == id; });
}

void Exporters::expire(Time now) {
  const std::lock_guard lock(mutex_);
  std::erase_if(pairs_, [now](const auto& entry) { return now - entry.second.used > kLifetime; });
}

std::size_t Exporters::size() const {
  const std::lock_guard lock(mutex_);
  return pairs_.size();
}

}  // namespace gssipsec::broker
