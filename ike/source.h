// SPDX-License-Identifier: MIT
// Who the peer of an SA is: one file a source (vici, static file; later libreswan, HIT), one interface. A source may
// be slow or absent; it never blocks the broker's event loop: the broker calls refresh() in its IKE worker thread and
// reads snapshots.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "channel/hash.h"
#include "channel/identity.h"
#include "ike/notice.h"

namespace gssipsec::ike {

// By the SA's name on its receiver. Outbound and inbound SAs of a CHILD_SA each have an entry.
using Peers = std::unordered_map<channel::SaId, channel::PeerInfo, channel::Hash>;

struct Snapshot {
  Peers peers;
  bool operator==(const Snapshot&) const = default;
};

class Source {
 public:
  virtual ~Source() = default;
  // Asks the source anew; blocking, with a deadline of its own (2 s). IKE_SOURCE when it cannot be asked.
  [[nodiscard]] virtual base::Result<Snapshot> refresh() = 0;
  // Readable when something may have changed (events of the daemon); -1: none. drain() reads what is there and says
  // whether a refresh is due; IKE_SOURCE when the connection broke (call refresh() later, it connects again).
  [[nodiscard]] virtual int event_fd() const noexcept = 0;
  [[nodiscard]] virtual base::Result<bool> drain() = 0;
  // What the daemon said since this was asked last, by drain() and refresh() alike.
  [[nodiscard]] virtual std::vector<Notice> take_notices() { return {}; }
  [[nodiscard]] virtual const char* name() const noexcept = 0;
};

}  // namespace gssipsec::ike
