// SPDX-License-Identifier: MIT
#include "mech_ipsec/watched_latch.h"

#include "base/trace.h"
#include "client/deadline.h"
#include "mech_ipsec/decision.h"

namespace gssipsec::mech {
namespace {

using base::Code;
using base::Status;
using protocol::LatchState;

constexpr std::int64_t kAskEvery = 1000;  // milliseconds

bool says_gone(const Status& confirmed) noexcept {
  return !confirmed.ok() && (confirmed.error().code == Code::LATCH_BROKEN || confirmed.error().code == Code::SOCKET_CHANGED);
}

}  // namespace

Status WatchedLatch::confirm() {
  const LatchState before = word_.state();
  const Status confirmed = client::Broker::check(socket_.fd, socket_.cookie, word_);
  if (base::tracing()) base::trace("context", "latch " + std::string(protocol::latch_state_name(before)) + (confirmed.ok() ? ", confirmed" : ": " + base::describe(confirmed.error())));
  return confirmed;
}

base::Result<LatchState> WatchedLatch::for_message(bool channel_token) {
  const LatchState now = word_.state();
  if (trust_in(now) != Trust::unconfirmed) return now;
  if (channel_token || client::monotonic_milliseconds() >= ask_again_) {
    confirmed_ = confirm();
    ask_again_ = word_.state() == LatchState::established ? 0 : client::monotonic_milliseconds() + kAskEvery;
  }
  if (says_gone(confirmed_) || (channel_token && !confirmed_.ok())) return confirmed_.error();
  return word_.state();
}

Status WatchedLatch::let_open(MessageType type, const protocol::ChannelInfo& channel) {
  if (type == MessageType::sealed) (void)for_message(false).ok();  // for the socket's sake
  const auto opening = decide_unwrap(word_.state(), channel, type);
  if (!opening) return opening.error();
  if (*opening == Opening::at_once) return {};
  const auto confirmed = for_message(true);
  if (!confirmed) return confirmed.error();
  const auto still = decide_unwrap(*confirmed, channel, type);  // it may break meanwhile
  return still.ok() ? Status() : still.error();
}

}  // namespace gssipsec::mech
