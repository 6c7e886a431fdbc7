// SPDX-License-Identifier: MIT
// The octets of context tokens (docs/protocol.md, Context tokens) and the frame of RFC 2743 3.1 around the first one.
// Pure. Failures: BAD_TOKEN, TOKEN_VERSION, TOKEN_TOO_LONG; octets left over are refused.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "channel/assertion.h"

namespace gssipsec::mech {

using channel::Digest;

inline constexpr std::size_t kMaxToken = 16384;

enum class TokenType : std::uint8_t { none = 0, hello = 1, retry = 2, reply = 3, error = 4, confirm = 5, last_but_one = 6, finish = 7 };
[[nodiscard]] const char* token_name(TokenType type) noexcept;

struct ContextToken {
  TokenType type = TokenType::none;  // none: no token; never on the wire
  base::Bytes sealed;                // hello, reply
  Digest proof{};                    // confirm, last_but_one, finish
  std::uint32_t code = 0;            // error
  bool operator==(const ContextToken&) const = default;
};

[[nodiscard]] base::Bytes encode(const ContextToken& token);
[[nodiscard]] base::Result<ContextToken> decode_token(base::View octets);

// 60 length 06 length OID | token
[[nodiscard]] base::Bytes frame(base::View token);
[[nodiscard]] base::Result<base::View> unframe(base::View framed);
// Whether the frame of a token, read as loosely as libgssapi reads it, says that it is of this mechanism.
[[nodiscard]] bool is_framed_for(base::View mechanism, base::View token) noexcept;

}  // namespace gssipsec::mech
