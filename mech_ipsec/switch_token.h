// SPDX-License-Identifier: MIT
// The octets of SWITCH, and the proof in it (docs/protocol.md, Kerberos over the channel): an acceptor's offer to let messages
// rest on the channel, in front of a message that Kerberos protects. Pure.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "mech_ipsec/seal.h"

namespace gssipsec::mech {

inline constexpr std::uint8_t kSwitchType = 0x14;
// type | version | u64 sequence | proof
inline constexpr std::size_t kSwitchHeader = 2 + 8 + 32;

// What a message token of a Kerberos context is, by its first octet. Kerberos' own begin with 05 or 60.
enum class Kind : std::uint8_t { kerberos, offer, channel };
[[nodiscard]] Kind kind_of(base::View token) noexcept;

struct SwitchToken {
  std::uint64_t sequence = 0;
  Digest proof{};
};

// What both ends know of the context that a SWITCH belongs to.
struct SwitchFacts {
  Digest binding{};     // of the channel
  Digest transcript{};  // of the context's tokens
};
[[nodiscard]] base::Result<Digest> switch_proof(base::View key, const SwitchFacts& facts, std::uint64_t sequence);

void encode_switch(const SwitchToken& token, std::span<std::byte, kSwitchHeader> out);
// Of the first kSwitchHeader octets; what follows them is Kerberos'. BAD_TOKEN, TOKEN_VERSION.
[[nodiscard]] base::Result<SwitchToken> decode_switch(base::View octets);

}  // namespace gssipsec::mech
