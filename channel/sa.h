// SPDX-License-Identifier: MIT
// A security association without its keys, and (apart, never kept) the keys. Pure values; decoded by kernel/.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/secret.h"
#include "channel/policy.h"

namespace gssipsec::channel {

// RFC 4301's name of an SA on its receiver: what kernel and IKE sources are joined by.
struct SaId {
  std::uint32_t spi = 0;  // host order
  Address destination;
  std::uint8_t protocol = kProtoEsp;
  auto operator<=>(const SaId&) const = default;
};

enum class SaState : std::uint8_t { void_ = 0, acquire = 1, valid = 2, error = 3, expired = 4, dead = 5 };

struct Algorithm {
  std::string name;             // the kernel's, e.g. "rfc4106(gcm(aes))"; empty: none
  std::uint32_t key_bits = 0;   // as the kernel counts: AEAD keys with their salt
  std::uint32_t icv_bits = 0;
  bool operator==(const Algorithm&) const = default;
};

struct Sa {
  SaId id;
  Address source;
  std::uint32_t reqid = 0;
  Mode mode = Mode::transport;
  Selector selector;
  Mark mark;
  std::uint32_t if_id = 0;
  Algorithm aead, encryption, authentication, compression;
  SaState state = SaState::valid;  // mature is valid; the dump does not tell more, EXPIRE events do
  bool dying = false;              // soft lifetime over
  std::uint32_t replay_window = 0; // packets; strongSwan's outbound SAs show 0: judge the inbound one
  bool esn = false;
  bool encapsulated = false;       // UDP (NAT traversal)
  std::uint16_t encap_source_port = 0, encap_destination_port = 0;
  std::uint64_t added = 0;         // seconds since 1970, of the kernel
  bool incomplete = false;         // carries something that the decoder does not know and that may change its use

  bool operator==(const Sa&) const = default;
};

// Read on demand by XFRM_MSG_GETSA, used at once, wiped. Keys as the kernel holds them (AEAD with salt).
struct SaKeys {
  SaId id;
  std::uint64_t added = 0;
  Algorithm aead, encryption, authentication;
  base::Secret encryption_key;      // of the AEAD or of the cipher
  base::Secret authentication_key;  // empty with an AEAD
};

[[nodiscard]] std::string format(const SaId& id);  // for root's eyes only (status): "esp 0xc0ffee01 > 10.1.0.2"

}  // namespace gssipsec::channel
