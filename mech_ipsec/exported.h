// SPDX-License-Identifier: MIT
// An exported context as octets (docs/protocol.md, Exported contexts): what stands outside in clear, and what is encrypted under a
// key of the broker's. Pure. Failures: BAD_TOKEN, TOKEN_VERSION; octets left over are refused.
#pragma once

#include <cstdint>

#include "mech_ipsec/seal.h"
#include "protocol/messages.h"

namespace gssipsec::mech {

// u8 version | id[32] | u64 cookie | ciphertext | tag[16]
struct ExportedContext {
  Digest id{};               // of the broker's key
  std::uint64_t cookie = 0;  // of the connection that the context rests on
  base::View header;         // additional data of the cipher
  base::View body, tag;
};
[[nodiscard]] base::Result<ExportedContext> decode_exported(base::View octets);

// Under a key that is used for this one token.
[[nodiscard]] base::Result<base::Bytes> seal_exported(const Digest& id, std::uint64_t cookie, base::View key, const protocol::ContextState& state);
// BAD_MAC where the token was changed.
[[nodiscard]] base::Result<protocol::ContextState> open_exported(const ExportedContext& exported, base::View key);

}  // namespace gssipsec::mech
