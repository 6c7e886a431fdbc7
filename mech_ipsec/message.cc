// SPDX-License-Identifier: MIT
#include "mech_ipsec/message.h"

namespace gssipsec::mech {
namespace {

bool known(std::uint8_t type, std::uint8_t direction) noexcept { return type >= 0x11 && type <= 0x13 && direction <= 1; }

base::Error broken(std::size_t size) { return base::fail(base::Code::BAD_TOKEN, "message token of " + std::to_string(size) + " octets"); }

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

base::Result<MessageToken> decode_head(base::View octets) {
  base::Reader in(octets);
  MessageToken token;
  const std::uint8_t type = in.u8(), direction = in.u8();
  token.type = static_cast<MessageType>(type);
  token.direction = static_cast<Direction>(direction);
  token.sequence = in.u64();
  if (token.type != MessageType::mic) token.length = in.u32();
  token.tag = in.take(kTagSize);
  const bool fits = known(type, direction) && token.sequence < kMaxSequence && token.length <= kMaxMessageSize;
  if (!fits || !in.done()) return broken(octets.size());
  token.header = octets.first(octets.size() - kTagSize);
  return token;
}

base::Result<WholeToken> decode_message(base::View octets) {
  const bool mic = !octets.empty() && octets[0] == static_cast<std::byte>(MessageType::mic);
  const std::size_t size = mic ? kMicSize : kWrapOverhead;
  if (octets.size() < size) return broken(octets.size());
  const auto head = decode_head(octets.first(size));
  if (!head) return head.error();
  if (octets.size() - size != head->length) return broken(octets.size());
  return WholeToken{*head, octets.subspan(size)};
}

}  // namespace gssipsec::mech
