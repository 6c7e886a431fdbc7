// SPDX-License-Identifier: MIT
#include "mech_ipsec/kerberos_context.h"

#include "base/trace.h"
#include "channel/binding.h"
#include "mech_ipsec/decision.h"

namespace gssipsec::mech {
namespace {

using base::Code;
using base::fail;
using base::Result;
using base::Status;
using base::View;

constexpr std::uint16_t kSealedBits = 256;

void trace_kerberos(const char* text) {
  if (base::tracing()) base::trace("kerberos", text);
}

}  // namespace

// --- the exchange

// The counter is older than any fork after which two processes go on with the context.
Status KerberosContext::bind(const client::FoundSocket& socket) {
  const Locked lock(mutex_);
  auto counter = SendCounter::make();
  if (!counter) return counter.error();
  auto binding = bind_channel(role_, socket);
  if (!binding) {
    if (base::tracing()) base::trace("kerberos", "not bound: " + base::describe(binding.error()));
    return binding.error();
  }
  counter_.emplace(*std::move(counter));
  binding_.emplace(*std::move(binding));
  return {};
}

base::Bytes KerberosContext::bindings() const {
  const Locked lock(mutex_);
  return binding_ ? channel::binding_octets(channel::kExporterBinding, binding_->value) : base::Bytes();
}

bool KerberosContext::certain() const {
  const Locked lock(mutex_);
  return binding_ && binding_->socket.found != protocol::Found::sole;
}

void KerberosContext::note_token(View token) {
  const Locked lock(mutex_);
  if (binding_ && !token.empty()) transcript_.add(token);
}

void KerberosContext::end_exchange() {
  const Locked lock(mutex_);
  over_ = true;
}

base::Bytes KerberosContext::key_input() const {
  const Locked lock(mutex_);
  if (!binding_) return {};
  base::Writer input;
  input.raw("gss-ipsec channel v1").raw(binding_->value);
  return std::move(input).take();
}

// One half proves SWITCH, the other one protects messages.
Status KerberosContext::complete(View keys, Watchfulness watchfulness) {
  const Locked lock(mutex_);
  if (!binding_ || !counter_ || keys.size() != kKeys) return fail(Code::INTERNAL, "a context that is not bound");
  const auto digest = transcript_.digest();
  if (!digest) return digest.error();
  auto protection = Protection::make(keys.last(kKeySize), *digest, acceptor() ? Direction::from_acceptor : Direction::from_initiator, *std::move(counter_));
  if (!protection) return protection.error();
  transcript_digest_ = *digest;
  transcript_ = {};
  counter_.reset();
  switch_key_ = base::Secret(keys.first(kKeySize));
  protection_.emplace(*std::move(protection));
  watchfulness_ = watchfulness;
  trace_kerberos("bound to the channel");
  return {};
}

// --- out

// Whether it is intact. One that is pinned to its SAs lets nothing by when others follow them, whatever protects the messages: so
// Kerberos' keep it up to date, too, and go on whatever becomes of it.
bool KerberosContext::look_after_latch(bool channel_token) {
  if (!binding_) return false;
  const auto state = binding_->latch.for_message(channel_token);
  return state.ok() && trust_in(*state) == Trust::intact;
}

bool KerberosContext::is_switched() const noexcept { return acceptor() ? peer_switched_ : agreed_; }

// An acceptor offers once, and goes on with Kerberos until a message by the channel shows that the initiator agrees.
KerberosContext::Way KerberosContext::way_out() {
  const Locked lock(mutex_);
  if (protection_ && is_switched()) return Way::channel;
  const bool intact = look_after_latch(false);
  return protection_ && acceptor() && !agreed_ && binding_->may_skip && intact ? Way::offer : Way::kerberos;
}

Status KerberosContext::put_switch(std::span<std::byte, kSwitchHeader> out) {
  const Locked lock(mutex_);
  const auto sequence = protection_->pass_number();
  if (!sequence) return sequence.error();
  const auto proof = switch_proof(switch_key_.view(), facts(), *sequence);
  if (!proof) return proof.error();
  encode_switch({*sequence, *proof}, out);
  agreed_ = true;
  trace_kerberos("SWITCH sent");
  return {};
}

void KerberosContext::sent_by_kerberos() {
  const Locked lock(mutex_);
  if (protection_) (void)protection_->pass_number().ok();
}

Result<MessageType> KerberosContext::form_of(bool confidential, std::uint32_t qop) {
  const auto latch = binding_->latch.for_message(false);
  if (!latch) return latch.error();
  return decide_wrap(*latch, binding_->channel, protocol::Seal::unless_confidential, confidential, qop);
}

Result<bool> KerberosContext::wrap(bool confidential, std::uint32_t qop, const Message& message, std::span<std::byte, kWrapOverhead> head) {
  const Locked lock(mutex_);
  const auto form = form_of(confidential, qop);
  if (!form) return form.error();
  if (const Status put = protection_->put(*form, message, head); !put) return put.error();
  return *form == MessageType::sealed || binding_->channel.confidentiality;
}

Result<bool> KerberosContext::would_conceal(bool confidential, std::uint32_t qop) {
  const Locked lock(mutex_);
  const auto form = form_of(confidential, qop);
  if (!form) return form.error();
  return *form == MessageType::sealed || binding_->channel.confidentiality;
}

std::optional<std::size_t> KerberosContext::reserve() const {
  const Locked lock(mutex_);
  if (!protection_ || !binding_->may_skip) return std::nullopt;
  return acceptor() && !agreed_ ? kSwitchHeader : 0;
}

// --- in

Status KerberosContext::check_switch(View token) const {
  const Locked lock(mutex_);
  if (!protection_ || acceptor()) return fail(Code::NOT_SWITCHED, "SWITCH has no place here");
  const auto got = decode_switch(token);
  if (!got) return got.error();
  const auto wanted = switch_proof(switch_key_.view(), facts(), got->sequence);
  if (!wanted) return wanted.error();
  return base::equal_secret(*wanted, got->proof) ? Status() : fail(Code::SWITCH_FORGED);
}

// Where this host does not want to, or its latch is not intact now, Kerberos goes on protecting both directions.
void KerberosContext::accept_switch() {
  const Locked lock(mutex_);
  if (agreed_ || !binding_->may_skip || !look_after_latch(true)) return;
  agreed_ = true;
  trace_kerberos("SWITCH believed");
}

// Who sends by the channel sends nothing more by Kerberos: this one comes late.
Order KerberosContext::received_by_kerberos() {
  const Locked lock(mutex_);
  (void)look_after_latch(false);
  if (!protection_) return Order::in_order;
  if (peer_switched_) return told(Order::unsequenced);
  protection_->expect_next();
  return Order::in_order;
}

Order KerberosContext::told(Order order) const noexcept {
  if (order == Order::gap || order == Order::unsequenced) return watchfulness_.order ? order : Order::in_order;
  return watchfulness_.order || watchfulness_.replays ? order : Order::in_order;
}

Result<Unwrapped> KerberosContext::unwrap(const MessageToken& token, const Message& message) {
  const Locked lock(mutex_);
  if (!protection_ || !agreed_) return fail(Code::NOT_SWITCHED);
  const bool sealed = token.type == MessageType::sealed;
  if (const Status may = binding_->latch.let_open(token.type, binding_->channel); !may) return may.error();
  const auto order = protection_->open(token, message);
  if (!order) return order.error();
  if (!peer_switched_) trace_kerberos("the peer switched");
  peer_switched_ = true;
  return Unwrapped{sealed || binding_->channel.confidentiality, sealed, told(*order)};
}

// --- questions

bool KerberosContext::switched() const {
  const Locked lock(mutex_);
  return is_switched();
}

std::uint16_t KerberosContext::strength() const {
  const Locked lock(mutex_);
  return binding_ && binding_->channel.confidentiality ? binding_->channel.key_bits : kSealedBits;
}

// Before it is complete there is nothing that could leave, and who asks too early loses nothing by it.
Status KerberosContext::let_go() {
  const Locked lock(mutex_);
  if (!over_) return fail(Code::NO_CONTEXT);
  if (agreed_) return fail(Code::UNAVAILABLE, "the context rests on its connection's channel and stays with it");
  if (binding_) binding_->may_skip = false;
  return {};
}

}  // namespace gssipsec::mech
