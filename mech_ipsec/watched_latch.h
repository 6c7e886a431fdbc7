// SPDX-License-Identifier: MIT
// The latch that a context rests on, as its messages see it: a word of memory while it is intact, the broker's answer when it
// cannot be told otherwise. Threads: under the context's lock, held across the broker's calls (2 s at most). Failures:
// LATCH_BROKEN, LATCH_STALE, SOCKET_CHANGED, the broker's.
#pragma once

#include "base/result.h"
#include "client/broker.h"
#include "client/sockets.h"
#include "mech_ipsec/message.h"

namespace gssipsec::mech {

class WatchedLatch {
 public:
  WatchedLatch() = default;
  WatchedLatch(client::FoundSocket socket, client::LatchWord word) : socket_(socket), word_(std::move(word)) {}

  [[nodiscard]] protocol::LatchState state() const noexcept { return word_.state(); }
  [[nodiscard]] base::Status confirm();
  // The latch as this call may rest on it. Of one that is not confirmed the broker is asked, every second at most, for its socket
  // may be waiting to be latched again; for a token that can be opened in no other way it is asked each time, and must agree.
  [[nodiscard]] base::Result<protocol::LatchState> for_message(bool channel_token);
  // gss_unwrap: whether a token of this type may be opened now. WEAK, too.
  [[nodiscard]] base::Status let_open(MessageType type, const protocol::ChannelInfo& channel);
  void release() noexcept { client::Broker::release(word_); }

 private:
  client::FoundSocket socket_;
  client::LatchWord word_;
  base::Status confirmed_;       // what the broker last said of a latch that was not intact
  std::int64_t ask_again_ = 0;   // milliseconds of the monotonic clock
};

}  // namespace gssipsec::mech
