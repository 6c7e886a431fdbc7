// SPDX-License-Identifier: MIT
// The memory that the broker shares with each client: written by the broker only, read by the client without a system
// call before every per-message operation. Detection, not the wall: the wall is the kernel's template. The client maps
// it read-only after checking the seals (SHRINK, GROW, SEAL, FUTURE_WRITE), so it can neither fault nor be changed.
#pragma once

#include <atomic>
#include <cstdint>

#include "protocol/messages.h"

namespace gssipsec::protocol {

inline constexpr std::uint32_t kPageWords = 1022;
inline constexpr std::uint32_t kPageSlots = kPageWords - 1;  // version 1 of the protocol: all words are slots
inline constexpr std::uint32_t kHeartbeatSeconds = 1;   // how often the broker writes
inline constexpr std::uint32_t kHeartbeatLimit = 5;     // older: the broker counts as dead, slots as STALE

inline constexpr std::uint32_t kPageVersion = 1;

struct LatchPage {
  std::atomic<std::uint32_t> version;      // kPageVersion
  std::atomic<std::uint32_t> heartbeat;    // CLOCK_MONOTONIC seconds, truncated to 32 bits
  // generation << 8 | LatchState. A slot is given to another latch only with another generation.
  // The last one is no slot but what the administrator says of this client's program, kept up to date when he changes his mind.
  std::atomic<std::uint32_t> slots[kPageWords];
};
inline constexpr std::uint32_t kProgramWord = kPageSlots;
static_assert(std::atomic<std::uint32_t>::is_always_lock_free && sizeof(LatchPage) == 4096);

[[nodiscard]] constexpr std::uint32_t slot_word(std::uint32_t generation, LatchState state) noexcept {
  return generation << 8 | static_cast<std::uint32_t>(state);
}
// none when the slot belongs to another generation now.
[[nodiscard]] constexpr LatchState state_in(std::uint32_t word, std::uint32_t generation) noexcept {
  return word >> 8 == (generation & 0xffffff) ? static_cast<LatchState>(word & 0xff) : LatchState::none;
}

// What a program finds out without a question. Whether its Kerberos contexts rest on a channel, the broker says with each.
struct ProgramPolicy {
  KerberosUse kerberos = KerberosUse::off;
  bool without_ticket = false;  // mechanism ipsec in the place of Kerberos where the program has no ticket
  Seal seal = Seal::unless_confidential;
  std::uint16_t min_key_bits = 0;  // of the channel
  bool ipsec_first = false;        // mechanism ipsec before all others where the program begins a negotiation (SPNEGO)
  bool operator==(const ProgramPolicy&) const = default;
};
[[nodiscard]] constexpr std::uint32_t program_word(const ProgramPolicy& policy) noexcept {
  return 0x80000000u | std::uint32_t{policy.min_key_bits} << 8 | (policy.ipsec_first ? 32u : 0u) | static_cast<std::uint32_t>(policy.seal) << 3 |
         (policy.without_ticket ? 4u : 0u) | static_cast<std::uint32_t>(policy.kerberos);
}
// None: the broker has not said, or says what this version does not know.
[[nodiscard]] constexpr std::optional<ProgramPolicy> program_in(std::uint32_t word) noexcept {
  const std::uint32_t use = word & 3u, seal = word >> 3 & 3u;
  if ((word & 0xff0000c0u) != 0x80000000u || use > static_cast<std::uint32_t>(KerberosUse::skip) || seal > static_cast<std::uint32_t>(Seal::always))
    return std::nullopt;
  return ProgramPolicy{static_cast<KerberosUse>(use), (word & 4u) != 0, static_cast<Seal>(seal), static_cast<std::uint16_t>(word >> 8), (word & 32u) != 0};
}

}  // namespace gssipsec::protocol
