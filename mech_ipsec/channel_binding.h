// SPDX-License-Identifier: MIT
// What binds a context of another mechanism to the SAs under a socket, from this host's broker. Threads: any. Failures: what
// says that the socket is not protected, SOCKET_CHANGED, the broker's; UNAVAILABLE where the administrator does not want it.
#pragma once

#include "mech_ipsec/seal.h"
#include "mech_ipsec/watched_latch.h"

namespace gssipsec::mech {

struct ChannelBinding {
  client::FoundSocket socket;
  bool may_skip = false;           // on this host
  protocol::ChannelInfo channel;
  Digest value{};
  WatchedLatch latch;
};

[[nodiscard]] base::Result<ChannelBinding> bind_channel(channel::Role role, const client::FoundSocket& socket);

}  // namespace gssipsec::mech
