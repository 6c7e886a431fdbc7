// SPDX-License-Identifier: MIT
// The octets of per-message tokens (docs/protocol.md, Per-message tokens). Pure, and without memory of its own: a token
// that was read is a set of views into what was given.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

namespace gssipsec::mech {

enum class MessageType : std::uint8_t { channel = 0x11, sealed = 0x12, mic = 0x13 };
// Who sends: it is inside every MAC, and chooses the key.
enum class Direction : std::uint8_t { from_initiator = 0, from_acceptor = 1 };
[[nodiscard]] constexpr Direction other(Direction direction) noexcept {
  return direction == Direction::from_initiator ? Direction::from_acceptor : Direction::from_initiator;
}

inline constexpr std::size_t kTagSize = 16;
inline constexpr std::size_t kMicHeader = 10, kWrapHeader = 14;
inline constexpr std::size_t kMicSize = kMicHeader + kTagSize;          // of a whole MIC token
inline constexpr std::size_t kWrapOverhead = kWrapHeader + kTagSize;    // all that stands before a message, channel and sealed alike
inline constexpr std::size_t kMaxMessageSize = 0x7fffff00;              // what OpenSSL takes in one piece, with room
inline constexpr std::uint64_t kMaxSequence = std::uint64_t{1} << 62;   // no counter comes near to wrapping

// type | direction | u64 sequence | u32 length (not in MICs)
class MessageHeader {
 public:
  MessageHeader(MessageType type, Direction direction, std::uint64_t sequence, std::uint32_t length) noexcept;
  [[nodiscard]] base::View view() const noexcept { return base::View(octets_).first(size_); }

 private:
  std::array<std::byte, kWrapHeader> octets_{};
  std::size_t size_;
};

struct MessageToken {
  MessageType type = MessageType::mic;
  Direction direction = Direction::from_initiator;
  std::uint64_t sequence = 0;
  std::uint32_t length = 0;  // of the message, as the header says; 0 in MICs
  base::View header;         // as it was sent
  base::View tag;            // MAC or tag of the cipher
};

// What stands before the message, and nothing more: kWrapOverhead octets, or a whole MIC. BAD_TOKEN.
[[nodiscard]] base::Result<MessageToken> decode_head(base::View octets);

struct WholeToken {
  MessageToken head;
  base::View body;  // plaintext or ciphertext; empty in MICs
};
// A token in one piece. BAD_TOKEN, also where the body is not as long as the header says.
[[nodiscard]] base::Result<WholeToken> decode_message(base::View octets);

}  // namespace gssipsec::mech
