// SPDX-License-Identifier: MIT
#include "mech_ipsec/protection.h"

#include <algorithm>
#include <cstring>

namespace gssipsec::mech {
namespace {

using base::Code;
using base::fail;
using base::Result;
using base::Status;
using base::View;

base::Error crypto_failed() { return fail(Code::INTERNAL, "OpenSSL failed"); }

// label 00 direction: no key serves two uses.
Result<base::Secret> key_for(Mac& prk, std::string_view label, std::uint8_t direction) {
  base::Writer info;
  info.raw(label).u8(0).u8(direction);
  return hkdf_expand(prk, info.bytes());
}

constexpr std::string_view kChannel = "ipsec-gss channel v1", kMic = "ipsec-gss mic v1", kSealed = "ipsec-gss sealed v1", kPrf = "ipsec-gss prf v1";

std::uint8_t number_of(Direction direction) { return static_cast<std::uint8_t>(direction); }

// direction 00 00 00 | u64 sequence
Nonce nonce_of(View header) {
  Nonce nonce{};
  nonce[0] = header[1];
  std::copy_n(header.begin() + 2, 8, nonce.begin() + 4);
  return nonce;
}

bool agrees(const Digest& wanted, View tag) { return base::equal_secret(View(wanted).first(kTagSize), tag); }

// memcpy, because a copy octet by octet would cost more than all the rest.
void copy(View octets, std::byte* to) noexcept {
  if (!octets.empty() && octets.data() != to) memmove(to, octets.data(), octets.size());
}

void copy(Pieces pieces) noexcept {
  for (const Piece& piece : pieces) copy(piece.in, piece.out);
}

}  // namespace

std::size_t Message::size() const noexcept {
  std::size_t size = 0;
  for (const Piece& piece : pieces) size += piece.in.size();
  return size;
}

Protection::Protection(const Digest& id, Direction sends, base::Secret secret, Mac prk, SendCounter counter)
    : id_(id), sends_(sends), secret_(std::move(secret)), prk_(std::move(prk)), counter_(std::move(counter)) {}

Result<Protection> Protection::make(View session_key, const Digest& context_id, Direction sends, SendCounter counter) {
  if (session_key.size() != kKeySize) return fail(Code::BAD_MESSAGE, "wanted a session key of 32 octets");
  auto secret = hkdf_extract(context_id, session_key);
  return secret ? from(*std::move(secret), context_id, sends, std::move(counter)) : Result<Protection>(secret.error());
}

Result<Protection> Protection::from(base::Secret secret, const Digest& id, Direction sends, SendCounter counter) {
  auto prk = Mac::make(secret.view());
  if (!prk) return prk.error();
  return Protection(id, sends, std::move(secret), *std::move(prk), std::move(counter));
}

void Protection::leave(protocol::ContextState& state) {
  state.id = id_;
  state.sent = counter_.close();
  state.next = window_.next();
  state.seen = window_.seen();
  state.key = secret_.copy();
}

Result<Protection> Protection::resume(const protocol::ContextState& state) {
  if (state.sent > kMaxSequence || state.next > kMaxSequence) return fail(Code::BAD_TOKEN, "an exported context with numbers that no message has");
  auto counter = SendCounter::make(state.sent);
  if (!counter) return counter.error();
  const Direction sends = state.role == channel::Role::initiator ? Direction::from_initiator : Direction::from_acceptor;
  auto protection = from(state.key.copy(), state.id, sends, *std::move(counter));
  if (protection.ok()) protection->window_ = ReceiveWindow(state.next, state.seen);
  return protection;
}

bool Protection::compute(std::optional<Mac>& key, std::string_view label, std::uint8_t direction, std::initializer_list<View> parts, Views rest,
                         Digest& out) {
  if (!key) {
    const auto secret = key_for(prk_, label, direction);
    auto made = secret.ok() ? Mac::make(secret->view()) : Result<Mac>(secret.error());
    if (!made) return false;
    key.emplace(*std::move(made));
  }
  return key->compute(parts, rest, out);
}

Aead* Protection::cipher(Keys& keys, Direction direction, Aead::Use use) {
  if (!keys.sealed) {
    const auto secret = key_for(prk_, kSealed, number_of(direction));
    auto made = secret.ok() ? Aead::make(secret->view(), use) : Result<Aead>(secret.error());
    if (!made) return nullptr;
    keys.sealed.emplace(*std::move(made));
  }
  return &*keys.sealed;
}

Result<base::Secret> Protection::application_key() { return key_for(prk_, "ipsec-gss application v1", 0); }

Result<MessageHeader> Protection::next_header(MessageType type, std::size_t size) {
  if (size > kMaxMessageSize) return fail(Code::BAD_ARGUMENT, "a message of " + std::to_string(size) + " octets");
  const auto sequence = counter_.next();
  if (!sequence) return sequence.error();
  return MessageHeader(type, sends_, *sequence, static_cast<std::uint32_t>(size));
}

Status Protection::put(MessageType type, const Message& message, std::span<std::byte, kWrapOverhead> head) {
  const auto header = next_header(type, message.size());
  if (!header) return header.error();
  copy(header->view(), head.data());
  const auto tag = head.last<kTagSize>();
  if (type == MessageType::sealed) {
    Aead* sealed = cipher(out_, sends_, Aead::Use::seal);
    if (!sealed || !sealed->seal(nonce_of(header->view()), header->view(), message.signed_only, message.pieces, tag)) return crypto_failed();
    return {};
  }
  Digest mac;
  if (!compute(out_.channel, kChannel, number_of(sends_), {id_, header->view()}, message.signed_only, mac)) return crypto_failed();
  copy(View(mac).first(kTagSize), tag.data());
  copy(message.pieces);
  return {};
}

Status Protection::put_mic(Views message, std::span<std::byte, kMicSize> token) {
  const auto header = next_header(MessageType::mic, 0);
  if (!header) return header.error();
  Digest mac;
  if (!compute(out_.mic, kMic, number_of(sends_), {id_, header->view()}, message, mac)) return crypto_failed();
  copy(header->view(), token.data());
  copy(View(mac).first(kTagSize), token.last<kTagSize>().data());
  return {};
}

Status Protection::from_peer(const MessageToken& token) const {
  return token.direction == sends_ ? Status(fail(Code::WRONG_ROLE, "the message was sent by this end")) : Status();
}

Result<Order> Protection::open(const MessageToken& token, const Message& message) {
  if (token.type == MessageType::mic) return fail(Code::BAD_TOKEN, "a message token of another kind");
  if (message.size() != token.length)
    return fail(Code::BAD_TOKEN, "wanted a message of " + std::to_string(token.length) + " octets, found " + std::to_string(message.size()));
  if (const Status peers = from_peer(token); !peers) return peers.error();
  if (token.type == MessageType::sealed) {
    Aead* sealed = cipher(in_, other(sends_), Aead::Use::open);
    if (!sealed) return crypto_failed();
    if (!sealed->open(nonce_of(token.header), token.header, message.signed_only, message.pieces, token.tag)) return fail(Code::BAD_MIC);
    return window_.note(token.sequence);
  }
  Digest mac;
  if (!compute(in_.channel, kChannel, number_of(other(sends_)), {id_, token.header}, message.signed_only, mac)) return crypto_failed();
  if (!agrees(mac, token.tag)) return fail(Code::BAD_MIC);
  copy(message.pieces);
  return window_.note(token.sequence);
}

Result<Order> Protection::check_mic(const MessageToken& token, Views message) {
  if (token.type != MessageType::mic) return fail(Code::BAD_TOKEN, "a message token of another kind");
  if (const Status peers = from_peer(token); !peers) return peers.error();
  Digest mac;
  if (!compute(in_.mic, kMic, number_of(other(sends_)), {id_, token.header}, message, mac)) return crypto_failed();
  if (!agrees(mac, token.tag)) return fail(Code::BAD_MIC);
  return window_.note(token.sequence);
}

Status Protection::pseudo_random(bool full, View input, std::span<std::byte> out) {
  for (std::uint32_t block = 0; !out.empty(); ++block) {
    base::Writer number;
    number.u32(block);
    Digest part;
    if (!compute(full ? prf_full_ : prf_partial_, kPrf, full ? 0 : 1, {number.bytes(), input}, {}, part)) return crypto_failed();
    const std::size_t size = std::min(out.size(), part.size());
    copy(View(part).first(size), out.data());
    out = out.subspan(size);
  }
  return {};
}

}  // namespace gssipsec::mech
