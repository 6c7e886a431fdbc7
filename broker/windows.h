// SPDX-License-Identifier: MIT
// Which HELLOs were seen: the largest counter by SA pair (the hash of its keys), FLOW and role. Decides only whether a
// HELLO may be answered without a challenge. Nothing is ever forgotten while its SAs live: a full window means
// "challenge", never "accept", and one user's flows cannot push out another's. Threads: any.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>

#include "base/bytes.h"
#include "channel/flow.h"
#include "channel/sa.h"

namespace gssipsec::broker {

class Windows {
 public:
  explicit Windows(std::size_t flows_per_pair = 4096, std::size_t pairs = 16384) : max_flows_(flows_per_pair), max_pairs_(pairs) {}

  // True: `counter` is larger than any seen for this flow and role, and is now remembered. False: challenge.
  [[nodiscard]] bool admit(base::View keymat_id, const channel::SaId& inbound, const channel::FlowLabel& flow, channel::Role role,
                           std::uint64_t counter);
  // Forgets the windows of pairs whose inbound SA `lives` denies.
  void sweep(const std::function<bool(const channel::SaId&)>& lives);
  [[nodiscard]] std::size_t pairs() const;

 private:
  struct Window {
    channel::SaId inbound;
    std::map<base::Bytes, std::uint64_t> largest;  // FLOW and role -> counter
  };
  const std::size_t max_flows_, max_pairs_;
  mutable std::mutex mutex_;
  std::map<base::Bytes, Window> windows_;
};

}  // namespace gssipsec::broker
