// SPDX-License-Identifier: MIT
// ASSERTION and SEALED of design/binding.md: what one broker vouches for to the other, under a key of the shared SA
// pair. HELLO's is sealed and opened by brokers only; libraries carry it as octets. Pure.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/result.h"
#include "channel/exporter.h"
#include "channel/flow.h"

namespace gssipsec::channel {

using Digest = std::array<std::byte, 32>;

struct Assertion {
  Role role = Role::initiator;
  Digest nonce{};                        // of the sealing broker
  FlowLabel flow;
  // caller
  bool anonymous = true;                 // unmapped uid, or the broker cannot say
  bool privileged = false;               // uid 0 in the broker's user namespace
  std::uint32_t uid = 0;
  std::string user;                      // name, may be empty
  std::vector<std::string> services;     // an acceptor's granted service names
  std::string wanted;                    // the peer name that was asked for, "" none (channel::Name text, or service@host)
  bool wants_mutual = false;
  // latch and channel
  bool latched = false;
  bool integrity = false, confidentiality = false, replay_protection = false;
  bool since_start = false;              // protected since the connection began
  Digest bindings{};                     // hash of the application's channel bindings; zeros: none
  Digest transcript{};                   // hash of all tokens so far

  bool operator==(const Assertion&) const = default;
};

inline constexpr std::size_t kMaxAssertion = 4096;

[[nodiscard]] base::Bytes encode(const Assertion& assertion);
// BAD_TOKEN, TOKEN_VERSION, TOKEN_TOO_LONG. Trailing octets are refused.
[[nodiscard]] base::Result<Assertion> decode_assertion(base::View data);

// SEALED = u16 length | ASSERTION | HMAC-SHA256(key, ASSERTION), with HELLO's key export("assertion", role), or another.
[[nodiscard]] base::Result<base::Bytes> seal(const Assertion& assertion, const Exporter& exporter);
[[nodiscard]] base::Result<base::Bytes> seal(const Assertion& assertion, base::View key);
// Reads without trusting: to learn which SAs it names. Nothing in it may be believed before open().
[[nodiscard]] base::Result<Assertion> peek(base::View sealed);
// BAD_MAC when it was not sealed under these SAs, or with this key.
[[nodiscard]] base::Result<Assertion> open(base::View sealed, const Exporter& exporter);
[[nodiscard]] base::Result<Assertion> open(base::View sealed, base::View key);

}  // namespace gssipsec::channel
