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
void put(View octets, std::span<std::byte> room, std::size_t at) {
  if (!octets.empty()) memcpy(room.subspan(at).data(), octets.data(), octets.size());
}

}  // namespace

Protection::Protection(const Digest& id, Direction sends, Mac prk, SendCounter counter)
    : id_(id), sends_(sends), prk_(std::move(prk)), counter_(std::move(counter)) {}

Result<Protection> Protection::make(View session_key, const Digest& context_id, Direction sends, SendCounter counter) {
  if (session_key.size() != kKeySize) return fail(Code::BAD_MESSAGE, "wanted a session key of 32 octets");
  const auto secret = hkdf_extract(context_id, session_key);
  if (!secret) return secret.error();
  auto prk = Mac::make(secret->view());
  if (!prk) return prk.error();
  return Protection(context_id, sends, *std::move(prk), std::move(counter));
}

bool Protection::compute(std::optional<Mac>& key, std::string_view label, std::uint8_t direction, std::initializer_list<View> parts, Digest& out) {
  if (!key) {
    const auto secret = key_for(prk_, label, direction);
    auto made = secret.ok() ? Mac::make(secret->view()) : Result<Mac>(secret.error());
    if (!made) return false;
    key.emplace(*std::move(made));
  }
  return key->compute(parts, out);
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
  if (!compute(out_.channel, kChannel, number_of(sends_), {id_, header->view()}, mac)) return crypto_failed();
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
  Aead* sealed = cipher(out_, sends_, Aead::Use::seal);
  if (!sealed || !sealed->seal(nonce_of(header->view()), header->view(), message, body, tag)) return crypto_failed();
  return {};
}

Status Protection::put_mic(View message, std::span<std::byte, kMicSize> token) {
  const auto header = next_header(MessageType::mic, message);
  if (!header) return header.error();
  Digest mac;
  if (!compute(out_.mic, kMic, number_of(sends_), {id_, header->view(), message}, mac)) return crypto_failed();
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
  if (!compute(in_.channel, kChannel, number_of(other(sends_)), {id_, token.header}, mac)) return crypto_failed();
  if (!agrees(mac, token.tag)) return fail(Code::BAD_MIC);
  put(token.body, message, 0);
  return window_.note(token.sequence);
}

Result<Order> Protection::open_sealed(const MessageToken& token, std::span<std::byte> message) {
  if (const Status fits = expect(token, MessageType::sealed); !fits) return fits.error();
  Aead* sealed = cipher(in_, other(sends_), Aead::Use::open);
  if (!sealed) return crypto_failed();
  if (!sealed->open(nonce_of(token.header), token.header, token.body, message, token.tag)) return fail(Code::BAD_MIC);
  return window_.note(token.sequence);
}

Result<Order> Protection::check_mic(const MessageToken& token, View message) {
  if (const Status fits = expect(token, MessageType::mic); !fits) return fits.error();
  Digest mac;
  if (!compute(in_.mic, kMic, number_of(other(sends_)), {id_, token.header, message}, mac)) return crypto_failed();
  if (!agrees(mac, token.tag)) return fail(Code::BAD_MIC);
  return window_.note(token.sequence);
}

Status Protection::pseudo_random(bool full, View input, std::span<std::byte> out) {
  for (std::uint32_t block = 0; !out.empty(); ++block) {
    base::Writer number;
    number.u32(block);
    Digest part;
    if (!compute(full ? prf_full_ : prf_partial_, kPrf, full ? 0 : 1, {number.bytes(), input}, part)) return crypto_failed();
    const std::size_t size = std::min(out.size(), part.size());
    put(View(part).first(size), out, 0);
    out = out.subspan(size);
  }
  return {};
}

}  // namespace gssipsec::mech
