// SPDX-License-Identifier: MIT
#include "broker/windows.h"

namespace gssipsec::broker {

bool Windows::admit(base::View keymat_id, const channel::SaId& inbound, const channel::FlowLabel& flow, channel::Role role,
                    std::uint64_t counter) {
  base::Bytes key = encode(flow);
  key.push_back(static_cast<std::byte>(role));
  const std::lock_guard lock(mutex_);
  const base::Bytes pair(keymat_id.begin(), keymat_id.end());
  auto window = windows_.find(pair);
  if (window == windows_.end()) {
    if (windows_.size() >= max_pairs_) return false;
    window = windows_.emplace(pair, Window{inbound, {}}).first;
  }
  auto& largest = window->second.largest;
  const auto seen = largest.find(key);
  if (seen == largest.end()) {
    if (largest.size() >= max_flows_) return false;
    largest.emplace(std::move(key), counter);
    return true;
  }
  if (counter <= seen->second) return false;
  seen->second = counter;
  return true;
}

void Windows::sweep(const std::function<bool(const channel::SaId&)>& lives) {
  const std::lock_guard lock(mutex_);
  std::erase_if(windows_, [&lives](const auto& window) { return !lives(window.second.inbound); });
}

std::size_t Windows::pairs() const {
  const std::lock_guard lock(mutex_);
  return windows_.size();
}

}  // namespace gssipsec::broker
