// SPDX-License-Identifier: MIT
// An established context as octets, for another process (docs/protocol.md, Exported contexts): what stands outside in
// clear, and what is encrypted under a key of the broker. Pure. Failures: BAD_TOKEN; octets left over are refused.
#pragma once

#include <cstdint>

#include "mech_ipsec/protection.h"
#include "protocol/messages.h"

namespace gssipsec::mech {

struct ContextState {
  channel::Role role = channel::Role::initiator;
  bool bound = false, initiator_asked_mutual = false;
  std::uint32_t want = 0;
  std::int64_t expires = 0;  // milliseconds of the monotonic clock; 0 never
  protocol::Seal seal = protocol::Seal::unless_confidential;
  protocol::ChannelInfo channel;
  Progress progress;
};

// Holds keys: the caller wipes it.
[[nodiscard]] base::Bytes encode(const ContextState& state);
[[nodiscard]] base::Result<ContextState> decode_state(base::View octets);

// u8 version | id[32] | u64 cookie | ciphertext | tag[16]
struct ExportedContext {
  Digest id{};
  std::uint64_t cookie = 0;  // of the connection that the context rests on
  base::View header;         // additional data of the cipher
  base::View body, tag;
};
[[nodiscard]] base::Result<ExportedContext> decode_exported(base::View octets);

// Under a key that is used for this one token.
[[nodiscard]] base::Result<base::Bytes> seal_exported(const Digest& id, std::uint64_t cookie, base::View key, const ContextState& state);
// BAD_MAC where the token was changed.
[[nodiscard]] base::Result<ContextState> open_exported(const ExportedContext& exported, base::View key);

}  // namespace gssipsec::mech
