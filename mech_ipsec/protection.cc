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
Result<base::Secret> key_for(View prk, std::string_view label, std::uint8_t direction) {
  base::Writer info;
  info.raw(label).u8(0).u8(direction);
  return hkdf_expand(prk, info.bytes());
}

Result<Mac> mac_for(View prk, std::string_view label, std::uint8_t direction) {
  const auto key = key_for(prk, label, direction);
  return key.ok() ? Mac::make(key->view()) : Result<Mac>(key.error());
}

Result<Aead> cipher_for(View prk, std::string_view label, std::uint8_t direction, Aead::Use use) {
  const auto key = key_for(prk, label, direction);
  return key.ok() ? Aead::make(key->view(), use) : Result<Aead>(key.error());
}

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

Protection::Protection(base::Secret prk, const Digest& id, Direction sends, Keys out, Keys in, Mac full, Mac partial, SendCounter counter)
    : prk_(std::move(prk)), id_(id), sends_(sends), out_(std::move(out)), in_(std::move(in)), prf_full_(std::move(full)),
      prf_partial_(std::move(partial)), counter_(std::move(counter)) {}

Result<Protection::Keys> Protection::keys_for(View prk, Direction direction, Aead::Use use) {
  const auto number = static_cast<std::uint8_t>(direction);
  auto channel = mac_for(prk, "ipsec-gss channel v1", number);
  if (!channel) return channel.error();
  auto mic = mac_for(prk, "ipsec-gss mic v1", number);
  if (!mic) return mic.error();
  auto sealed = cipher_for(prk, "ipsec-gss sealed v1", number, use);
  if (!sealed) return sealed.error();
  return Keys{*std::move(channel), *std::move(mic), *std::move(sealed)};
}

Result<Protection> Protection::make(View session_key, const Digest& context_id, Direction sends) {
  if (session_key.size() != kKeySize) return fail(Code::BAD_MESSAGE, "wanted a session key of 32 octets");
  auto prk = hkdf_extract(context_id, session_key);
  if (!prk) return prk.error();
  return resume({*std::move(prk), context_id, 0, 0, 0}, sends);
}

Result<Protection> Protection::resume(const Progress& progress, Direction sends) {
  const View prk = progress.prk.view();
  auto out = keys_for(prk, sends, Aead::Use::seal);
  if (!out) return out.error();
  auto in = keys_for(prk, other(sends), Aead::Use::open);
  if (!in) return in.error();
  auto full = mac_for(prk, "ipsec-gss prf v1", 0), partial = mac_for(prk, "ipsec-gss prf v1", 1);
  if (!full || !partial) return crypto_failed();
  auto counter = SendCounter::make(progress.sent);
  if (!counter) return counter.error();
  Protection made(progress.prk.copy(), progress.id, sends, *std::move(out), *std::move(in), *std::move(full), *std::move(partial), *std::move(counter));
  made.window_ = ReceiveWindow(progress.window_next, progress.window_seen);
  return made;
}

Progress Protection::leave() { return {prk_.copy(), id_, counter_.close(), window_.next(), window_.seen()}; }

Result<base::Secret> Protection::application_key() const { return key_for(prk_.view(), "ipsec-gss application v1", 0); }

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
    const bool done = out_.sealed.seal(nonce_of(header->view()), header->view(), message.signed_only, message.pieces, tag);
    return done ? Status() : crypto_failed();
  }
  Digest mac;
  if (!out_.channel.compute({id_, header->view()}, message.signed_only, mac)) return crypto_failed();
  copy(View(mac).first(kTagSize), tag.data());
  copy(message.pieces);
  return {};
}

Status Protection::put_mic(Views message, std::span<std::byte, kMicSize> token) {
  const auto header = next_header(MessageType::mic, 0);
  if (!header) return header.error();
  Digest mac;
  if (!out_.mic.compute({id_, header->view()}, message, mac)) return crypto_failed();
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
    if (!in_.sealed.open(nonce_of(token.header), token.header, message.signed_only, message.pieces, token.tag)) return fail(Code::BAD_MIC);
    return window_.note(token.sequence);
  }
  Digest mac;
  if (!in_.channel.compute({id_, token.header}, message.signed_only, mac)) return crypto_failed();
  if (!agrees(mac, token.tag)) return fail(Code::BAD_MIC);
  copy(message.pieces);
  return window_.note(token.sequence);
}

Result<Order> Protection::check_mic(const MessageToken& token, Views message) {
  if (token.type != MessageType::mic) return fail(Code::BAD_TOKEN, "a message token of another kind");
  if (const Status peers = from_peer(token); !peers) return peers.error();
  Digest mac;
  if (!in_.mic.compute({id_, token.header}, message, mac)) return crypto_failed();
  if (!agrees(mac, token.tag)) return fail(Code::BAD_MIC);
  return window_.note(token.sequence);
}

Status Protection::pseudo_random(bool full, View input, std::span<std::byte> out) {
  Mac& key = full ? prf_full_ : prf_partial_;
  for (std::uint32_t block = 0; !out.empty(); ++block) {
    base::Writer number;
    number.u32(block);
    Digest part;
    if (!key.compute({number.bytes(), input}, part)) return crypto_failed();
    const std::size_t size = std::min(out.size(), part.size());
    copy(View(part).first(size), out.data());
    out = out.subspan(size);
  }
  return {};
}

}  // namespace gssipsec::mech
