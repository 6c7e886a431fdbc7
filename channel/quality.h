// SPDX-License-Identifier: MIT
// What an SA's algorithms give, and their names as IKE transform numbers (RFC 7296 registries) so that two hosts
// with different kernel names mean the same octets. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "channel/sa.h"

namespace gssipsec::channel {

struct Quality {
  bool confidentiality = false;  // a real cipher: not cipher_null, not GMAC
  bool integrity = false;
  bool replay_protection = false;
  std::uint16_t encryption_transform = 0;  // IKE ENCR_*; 0 none
  std::uint16_t integrity_transform = 0;   // IKE AUTH_*; 0 none or AEAD
  std::uint16_t key_bits = 0;              // effective strength of the weaker key, salt not counted
  std::string suite;                       // for people: "AES_GCM_16-256"
  bool known = false;                      // false: an algorithm we have no number for; counts as no protection
  bool operator==(const Quality&) const = default;
};

[[nodiscard]] Quality quality_of(const Sa& sa);
// Of a set of SAs that may all carry the flow: the weakest of each property; suite "indeterminate" if they differ.
[[nodiscard]] Quality weakest(const Quality& a, const Quality& b);
// DH groups that may not be bound to when IKE authenticated nobody: 1, 2, 5, 22-24, and unknown.
[[nodiscard]] bool weak_dh_group(std::uint16_t group) noexcept;

inline constexpr std::uint16_t kMinimumKeyBits = 128;

}  // namespace gssipsec::channel
