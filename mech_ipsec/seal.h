// SPDX-License-Identifier: MIT
// The keys of one direction of an established context, ready for use: everything that OpenSSL looks up or allocates is
// done once, here. The only file of the room that knows OpenSSL. Not thread-safe: the context's lock guards it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "base/result.h"
#include "base/secret.h"

namespace gssipsec::mech {

inline constexpr std::size_t kTagSize = 16;
using Tag = std::array<std::byte, kTagSize>;

enum class Use : std::uint8_t { channel, mic };

class DirectionKeys {
 public:
  // `direction` 0: what the initiator sends, 1: the acceptor. Keys are HKDF-SHA256(session key, salt context id) with a
  // label of their own for each use and direction.
  [[nodiscard]] static base::Result<DirectionKeys> derive(base::View session_key, base::View context_id, std::uint8_t direction);
  DirectionKeys(DirectionKeys&&) noexcept;
  DirectionKeys& operator=(DirectionKeys&&) noexcept;
  ~DirectionKeys();

  // HMAC-SHA256 over header and message, the first 16 octets.
  [[nodiscard]] base::Result<Tag> mac(Use use, base::View header, base::View message);
  // AES-256-GCM; the nonce is made of the sequence number, which never repeats under one key. `out` has the text's size.
  [[nodiscard]] base::Result<Tag> seal(std::uint64_t sequence, base::View header, base::View plain, std::span<std::byte> out);
  [[nodiscard]] base::Status open(std::uint64_t sequence, base::View header, base::View sealed, const Tag& tag, std::span<std::byte> out);

 private:
  struct Contexts;
  explicit DirectionKeys(std::unique_ptr<Contexts> contexts);
  std::unique_ptr<Contexts> contexts_;
};

}  // namespace gssipsec::mech
