// SPDX-License-Identifier: MIT
// The administrator's word about manual SAs: whose they are, by their pair of addresses and perhaps their reqid. Never
// the word of a peer: such SAs have no lineage, and count as one peer's only where the rule says that the keys are
// held by these two hosts alone. Threads: peers_of() is pure; refresh() by one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "channel/resolver.h"
#include "ike/source.h"

namespace gssipsec::ike {

struct StaticEnds {
  channel::Identity local, remote;
  channel::Address local_address, remote_address;
  std::optional<std::uint32_t> reqid;  // absent: any
  bool exclusive = false;              // nobody else holds the keys
};

// Every SA of `sad` that runs between the addresses of a rule, in either direction. A rule with the SA's reqid goes
// before one without; an SA that two rules of the same rank describe differently has no peer.
[[nodiscard]] Peers peers_of(const std::vector<StaticEnds>& rules, const channel::Sad& sad);

class StaticSource final : public Source {
 public:
  using SadReader = std::function<std::shared_ptr<const channel::Sad>()>;
  // `read_sad` is asked at each refresh (the caller's mirror); without one refresh() knows no SAs.
  explicit StaticSource(std::vector<StaticEnds> rules, SadReader read_sad = {});

  [[nodiscard]] Peers peers_for(const channel::Sad& sad) const { return peers_of(rules_, sad); }
  [[nodiscard]] base::Result<Snapshot> refresh() override;
  [[nodiscard]] int event_fd() const noexcept override { return -1; }
  [[nodiscard]] base::Result<bool> drain() override { return false; }
  [[nodiscard]] const char* name() const noexcept override { return "static"; }

 private:
  const std::vector<StaticEnds> rules_;
  const SadReader read_sad_;
};

}  // namespace gssipsec::ike
