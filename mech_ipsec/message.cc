// SPDX-License-Identifier: MIT
#include "mech_ipsec/message.h"

namespace gssipsec::mech {
namespace {

bool known(std::uint8_t type, std::uint8_t direction) noexcept { return type >= 0x11 && type <= 0x13 && direction <= 1; }

// channel: mac | plaintext; sealed: ciphertext | tag; both as long as the header says.
void read_body(base::Reader& in, MessageToken& token) {
  const std::uint32_t length = in.u32();
  if (length > kMaxMessageSize) in.mark_failed();  // OpenSSL counts in int
  if (token.type == MessageType::channel) token.tag = in.take(kTagSize);
  token.body = in.take(length);
  if (token.type == MessageType::sealed) token.tag = in.take(kTagSize);
}

void put(std::byte*& at, std::uint64_t value, int octets) noexcept {
  for (int shift = (octets - 1) * 8; shift >= 0; shift -= 8) *at++ = static_cast<std::byte>(value >> shift);
}

}  // namespace

MessageHeader::MessageHeader(MessageType type, Direction direction, std::uint64_t sequence, std::uint32_t length) noexcept
    : size_(type == MessageType::mic ? kMicHeader : kWrapHeader) {
  std::byte* at = octets_.data();
  put(at, static_cast<std::uint8_t>(type), 1);
  put(at, static_cast<std::uint8_t>(direction), 1);
  put(at, sequence, 8);
  if (type != MessageType::mic) put(at, length, 4);
}

base::Result<MessageToken> decode_message(base::View octets) {
  base::Reader in(octets);
  MessageToken token;
  const std::uint8_t type = in.u8(), direction = in.u8();
  token.type = static_cast<MessageType>(type);
  token.direction = static_cast<Direction>(direction);
  token.sequence = in.u64();
  if (!known(type, direction) || token.sequence >= kMaxSequence) in.mark_failed();
  if (token.type == MessageType::mic) token.tag = in.take(kTagSize);
  else read_body(in, token);
  if (!in.done()) return base::fail(base::Code::BAD_TOKEN, "message token of " + std::to_string(octets.size()) + " octets");
  token.header = octets.first(token.type == MessageType::mic ? kMicHeader : kWrapHeader);
  return token;
}

}  // namespace gssipsec::mech
