// SPDX-License-Identifier: MIT
// Keys that both hosts of an SA pair share, derived from the SAs' own key material (design/binding.md, The exporter).
// Used by the broker only; the keys never leave it but as exporter output. Throws std::bad_alloc only.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "channel/flow.h"
#include "channel/sa.h"

namespace gssipsec::channel {

inline constexpr std::size_t kMacSize = 32;

class Exporter {
 public:
  // NO_KEYS for missing or all-zero keys, WEAK_KEYS below 128 bits or an unknown algorithm.
  [[nodiscard]] static base::Result<Exporter> make(const SaKeys& to_acceptor, const SaKeys& to_initiator);

  // HKDF-Expand(PRK, label 00 role | u32 len FLOW | FLOW | u32 len context | context, length). role 0: none.
  [[nodiscard]] base::Result<base::Secret> derive(std::string_view label, std::uint8_t role, const FlowLabel& flow,
                                                  base::View context, std::size_t length) const;

 private:
  explicit Exporter(base::Secret prk) : prk_(std::move(prk)) {}
  base::Secret prk_;
};

// HMAC-SHA256(key, "select v1"): the smallest of the candidates is used by both hosts when a rekey overlap offers several.
[[nodiscard]] base::Result<base::Secret> selection_tag(const SaKeys& keys);

[[nodiscard]] base::Result<base::Secret> hmac_sha256(base::View key, base::View data);

}  // namespace gssipsec::channel
