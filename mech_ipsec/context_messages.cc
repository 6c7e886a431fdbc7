// SPDX-License-Identifier: MIT
// What an established context does: facts, and messages behind the latch.
// What the latch allows is decided in decision.h; the broker is asked only here, and only where a token needs it.
#include "client/deadline.h"
#include "mech_ipsec/context.h"
#include "mech_ipsec/decision.h"

namespace gssipsec::mech {
namespace {

using base::Code;
using base::fail;
using base::Result;
using base::Status;
using base::View;

constexpr std::uint16_t kSealedStrength = 256, kIntegrityAlone = 1;

}  // namespace

std::uint32_t Context::seconds_left() const {
  if (expires_ == 0) return 0xffffffff;
  const std::int64_t left = expires_ - client::monotonic_milliseconds();
  return left > 0 ? static_cast<std::uint32_t>((left + 999) / 1000) : 0;
}

bool Context::open() const {
  const Locked lock(mutex_);
  return state_ == State::established;
}

Facts Context::facts() const {
  const Locked lock(mutex_);
  Facts facts;
  facts.initiator = role_ == channel::Role::initiator;
  facts.open = state_ == State::established;
  facts.mutual = is_mutual();
  const auto& initiator = facts.initiator ? local_ : peer_;
  facts.anonymous = initiator && initiator->is_anonymous();
  facts.bound = bound_;
  facts.conceals = channel_.confidentiality || program_.seal != protocol::Seal::never;
  facts.strength = facts.conceals ? kSealedStrength : kIntegrityAlone;
  if (channel_.confidentiality && program_.seal != protocol::Seal::always) facts.strength = channel_.key_bits;
  facts.local = local_;
  facts.peer = peer_;
  facts.seconds_left = seconds_left();
  return facts;
}

Status Context::usable() const {
  if (state_ != State::established || !protection_) return fail(Code::NO_CONTEXT);
  return seconds_left() == 0 ? Status(fail(Code::EXPIRED)) : Status();
}

Result<MessageType> Context::form_of(bool confidential, std::uint32_t qop) {
  if (const Status can = usable(); !can) return can.error();
  const auto latch = latch_.for_message(false);
  if (!latch) return latch.error();
  return decide_wrap(*latch, channel_, program_.seal, confidential, qop);
}

Result<bool> Context::wrap(bool confidential, std::uint32_t qop, const Message& message, std::span<std::byte, kWrapOverhead> head) {
  const Locked lock(mutex_);
  const auto form = form_of(confidential, qop);
  if (!form) return form.error();
  if (const Status put = protection_->put(*form, message, head); !put) return put.error();
  return *form == MessageType::sealed || channel_.confidentiality;
}

Result<bool> Context::would_conceal(bool confidential, std::uint32_t qop) {
  const Locked lock(mutex_);
  const auto form = form_of(confidential, qop);
  if (!form) return form.error();
  return *form == MessageType::sealed || channel_.confidentiality;
}

Result<Unwrapped> Context::unwrap(const MessageToken& token, const Message& message) {
  const Locked lock(mutex_);
  if (const Status can = usable(); !can) return can.error();
  const bool sealed = token.type == MessageType::sealed;
  if (const Status may = latch_.let_open(token.type, channel_); !may) return may.error();
  const auto order = protection_->open(token, message);
  if (!order) return order.error();
  return Unwrapped{sealed || channel_.confidentiality, sealed, *order};
}

Status Context::get_mic(std::uint32_t qop, Views message, std::span<std::byte, kMicSize> token) {
  const Locked lock(mutex_);
  if (const Status can = usable(); !can) return can;
  const auto latch = latch_.for_message(false);
  if (!latch) return latch.error();
  if (const Status may = decide_mic(*latch, qop); !may) return may;
  return protection_->put_mic(message, token);
}

Result<Order> Context::verify_mic(const MessageToken& token, Views message) {
  const Locked lock(mutex_);
  if (const Status can = usable(); !can) return can.error();
  const auto latch = latch_.for_message(false);
  if (!latch) return latch.error();
  if (const Status may = decide_mic(*latch, 0); !may) return may.error();
  return protection_->check_mic(token, message);
}

Result<base::Secret> Context::application_key() {
  const Locked lock(mutex_);
  if (const Status can = usable(); !can) return can.error();
  return protection_->application_key();
}

Status Context::pseudo_random(bool full, View input, std::span<std::byte> out) {
  const Locked lock(mutex_);
  if (const Status can = usable(); !can) return can;
  return protection_->pseudo_random(full, input, out);
}

}  // namespace gssipsec::mech
