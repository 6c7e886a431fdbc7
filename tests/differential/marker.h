// SPDX-License-Identifier: MIT
// Tells when everything that was sent has come to its end, so that nobody waits for what does not come: a datagram of its own
// goes by an SA in transport mode through the queues in which a packet of a case can be (the backlog of received packets and
// the work queue that hands on what ESP and AH have opened). They are first in, first out, and one for all namespaces where
// there is one processor, as in user-mode-linux. When the datagram has come, so has what was sent before it.
#pragma once

#include "tests/differential/host.h"

namespace gssipsec::differential {

class Marker {
 public:
  // A namespace of its own, in which it leaves the caller; its lo must obey policies.
  explicit Marker(const std::string& namespace_name);
  // Tunnels inside transport mode are queued once more each: `turns` bounds how often a packet can be.
  void settle(std::size_t turns) const;

 private:
  void protect();

  Host host_;
  base::UniqueFd fd_;
};

}  // namespace gssipsec::differential
