// SPDX-License-Identifier: MIT
#include "mech_ipsec/decision.h"

namespace gssipsec::mech {
namespace {

using base::Code;
using base::fail;
using base::Result;
using base::Status;
using protocol::ChannelInfo;
using protocol::LatchState;
using protocol::Seal;

constexpr std::uint32_t kQopSealed = 1;  // 0 rests on the channel

Status not_gone(LatchState latch) {
  if (trust_in(latch) != Trust::gone) return {};
  return fail(Code::LATCH_BROKEN, std::string("the latch is ") + protocol::latch_state_name(latch));
}

// Without integrity nothing rests on it, whatever the administrator says.
bool suffices(const ChannelInfo& channel, Seal seal, bool confidential) noexcept {
  if (!channel.integrity || seal == Seal::always) return false;
  return channel.confidentiality || !confidential || seal == Seal::never;
}

}  // namespace

Status known_qop(std::uint32_t qop) {
  return qop <= kQopSealed ? Status() : fail(Code::BAD_QOP, "wanted 0 or 1, found " + std::to_string(qop));
}

Trust trust_in(LatchState latch) noexcept {
  if (latch == LatchState::established) return Trust::intact;
  return latch == LatchState::stale || latch == LatchState::monitored ? Trust::unconfirmed : Trust::gone;
}

Result<MessageType> decide_wrap(LatchState latch, const ChannelInfo& channel, Seal seal, bool confidential, std::uint32_t qop) {
  if (const Status there = not_gone(latch); !there) return there.error();
  if (const Status known = known_qop(qop); !known) return known.error();
  if (qop == kQopSealed || !suffices(channel, seal, confidential)) return MessageType::sealed;
  return trust_in(latch) == Trust::intact ? MessageType::channel : MessageType::sealed;
}

Result<Opening> decide_unwrap(LatchState latch, const ChannelInfo& channel, MessageType type) {
  if (type == MessageType::sealed) return Opening::at_once;
  if (!channel.integrity) return fail(Code::WEAK, "the channel gives no integrity");
  if (const Status there = not_gone(latch); !there) return there.error();
  return trust_in(latch) == Trust::intact ? Opening::at_once : Opening::when_confirmed;
}

Status decide_mic(LatchState latch, std::uint32_t qop) {
  if (const Status known = known_qop(qop); !known) return known;
  return not_gone(latch);
}

}  // namespace gssipsec::mech
