// SPDX-License-Identifier: MIT
// All of OpenSSL that the mechanism uses. Algorithms are fetched when an object is made, never at a message.
// Threads: an object is used under its context's lock. Failures: INTERNAL when OpenSSL fails; false for a wrong tag.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "channel/assertion.h"

struct evp_mac_ctx_st;
struct evp_cipher_ctx_st;

namespace gssipsec::mech {

using channel::Digest;
inline constexpr std::size_t kKeySize = 32, kNonceSize = 12, kSealTag = 16;
using Nonce = std::array<std::byte, kNonceSize>;

// Octets in several pieces, in order.
using Views = std::span<const base::View>;
// Octets to read, and where the outcome goes: as many, and the same place is allowed.
struct Piece {
  base::View in;
  std::byte* out = nullptr;
};
using Pieces = std::span<const Piece>;

[[nodiscard]] base::Result<Digest> sha256(base::View data);
// HMAC-SHA256 under a key set once.
class Mac {
 public:
  [[nodiscard]] static base::Result<Mac> make(base::View key);
  Mac(Mac&&) noexcept;
  ~Mac();
  [[nodiscard]] bool compute(std::initializer_list<base::View> parts, Digest& out) noexcept { return compute(parts, {}, out); }
  // Over `parts`, then `rest`.
  [[nodiscard]] bool compute(std::initializer_list<base::View> parts, Views rest, Digest& out) noexcept;

 private:
  explicit Mac(evp_mac_ctx_st* context) noexcept : context_(context) {}
  struct Free {
    void operator()(evp_mac_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_mac_ctx_st, Free> context_;
};

// HKDF-SHA256; `prk` is a Mac under the pseudorandom key. Both give 32 octets.
[[nodiscard]] base::Result<base::Secret> hkdf_extract(base::View salt, base::View key);
[[nodiscard]] base::Result<base::Secret> hkdf_expand(Mac& prk, base::View info);

// AES-256-GCM under a key set once, for one direction of use.
class Aead {
 public:
  enum class Use { seal, open };
  [[nodiscard]] static base::Result<Aead> make(base::View key, Use use);
  Aead(Aead&&) noexcept;
  ~Aead();
  // The header and what is `signed_only` are the additional data.
  [[nodiscard]] bool seal(const Nonce& nonce, base::View header, Views signed_only, Pieces message, std::span<std::byte, kSealTag> tag) noexcept;
  // False: the tag is wrong, and the outcome was wiped.
  [[nodiscard]] bool open(const Nonce& nonce, base::View header, Views signed_only, Pieces message, base::View tag) noexcept;

 private:
  explicit Aead(evp_cipher_ctx_st* context) noexcept : context_(context) {}
  struct Free {
    void operator()(evp_cipher_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_cipher_ctx_st, Free> context_;
};

}  // namespace gssipsec::mech
