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

Result<Mac> mac_for(Mac& prk, std::string_view label, std::uint8_t direction) {
  const auto key = key_for(prk, label, direction);
  return key.ok() ? Mac::make(key->view()) : Result<Mac>(key.error());
}

Result<Aead> cipher_for(Mac& prk, std::string_view label, std::uint8_t direction, Aead::Use use) {
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
void put(View octets, std::span<std::byte> room, std::size_t at) {
  if (!octets.empty()) memcpy(room.subspan(at).data(), octets.data(), octets.size());
}

}  // namespace

Protection::Protection(const Digest& id, Direction sends, Keys out, Keys in, Mac full, Mac partial, SendCounter counter)
    : id_(id), sends_(sends), out_(std::move(out)), in_(std::move(in)), prf_full_(std::move(full)), prf_partial_(std::move(partial)),
      counter_(std::move(counter)) {}

Result<Protection::Keys> Protection::keys_for(Mac& prk, Direction direction, Aead::Use use) {
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
  const auto secret = hkdf_extract(context_id, session_key);
  if (!secret) return secret.error();
  auto prk = Mac::make(secret->view());
  if (!prk) return prk.error();
  auto out = keys_for(*prk, sends, Aead::Use::seal);
  if (!out) return out.error();
  auto in = keys_for(*prk, other(sends), Aead::Use::open);
  if (!in) return in.error();
  auto full = mac_for(*prk, "ipsec-gss prf v1", 0), partial = mac_for(*prk, "ipsec-gss prf v1", 1);
  if (!full || !partial) return crypto_failed();
  auto counter = SendCounter::make();
  if (!counter) return counter.error();
  return Protection(context_id, sends, *std::move(out), *std::move(in), *std::move(full), *std::move(partial), *std::move(counter));
}

Result<MessageHeader> Protection::next_header(MessageType type, View message) {
  if (message.size() > kMaxMessageSize) return fail(Code::BAD_ARGUMENT, "a message of " + std::to_string(message.size()) + " octets");
  const auto sequence = counter_.next();
  if (!sequence) return sequence.error();
  return MessageHeader(type, sends_, *sequence, static_cast<std::uint32_t>(message.size()));
}

Status Protection::put_channel(View message, std::span<std::byte> token) {
  const auto header = next_header(MessageType::channel, message);
  if (!header) return header.error();
  Digest mac;
  if (!out_.channel.compute({id_, header->view()}, mac)) return crypto_failed();
  put(header->view(), token, 0);
  put(View(mac).first(kTagSize), token, kWrapHeader);
  put(message, token, kWrapOverhead);
  return {};
}

Status Protection::put_sealed(View message, std::span<std::byte> token) {
  const auto header = next_header(MessageType::sealed, message);
  if (!header) return header.error();
  const auto body = token.subspan(kWrapHeader, message.size());
  const auto tag = token.subspan(kWrapHeader + message.size()).first<kSealTag>();
  put(header->view(), token, 0);
  if (!out_.sealed.seal(nonce_of(header->view()), header->view(), message, body, tag)) return crypto_failed();
  return {};
}

Status Protection::put_mic(View message, std::span<std::byte, kMicSize> token) {
  const auto header = next_header(MessageType::mic, message);
  if (!header) return header.error();
  Digest mac;
  if (!out_.mic.compute({id_, header->view(), message}, mac)) return crypto_failed();
  put(header->view(), token, 0);
  put(View(mac).first(kTagSize), token, kMicHeader);
  return {};
}

Status Protection::expect(const MessageToken& token, MessageType type) const {
  if (token.type != type) return fail(Code::BAD_TOKEN, "a message token of another kind");
  if (token.direction == sends_) return fail(Code::WRONG_ROLE, "the message was sent by this end");
  return {};
}

Result<Order> Protection::open_channel(const MessageToken& token, std::span<std::byte> message) {
  if (const Status fits = expect(token, MessageType::channel); !fits) return fits.error();
  Digest mac;
  if (!in_.channel.compute({id_, token.header}, mac)) return crypto_failed();
  if (!agrees(mac, token.tag)) return fail(Code::BAD_MIC);
  put(token.body, message, 0);
  return window_.note(token.sequence);
}

Result<Order> Protection::open_sealed(const MessageToken& token, std::span<std::byte> message) {
  if (const Status fits = expect(token, MessageType::sealed); !fits) return fits.error();
  if (!in_.sealed.open(nonce_of(token.header), token.header, token.body, message, token.tag)) return fail(Code::BAD_MIC);
  return window_.note(token.sequence);
}

Result<Order> Protection::check_mic(const MessageToken& token, View message) {
  if (const Status fits = expect(token, MessageType::mic); !fits) return fits.error();
  Digest mac;
  if (!in_.mic.compute({id_, token.header, message}, mac)) return crypto_failed();
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
    put(View(part).first(size), out, 0);
    out = out.subspan(size);
  }
  return {};
}

}  // namespace gssipsec::mech
