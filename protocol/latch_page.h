// SPDX-License-Identifier: MIT
// The memory that the broker shares with each client: written by the broker only, read by the client without a system
// call before every per-message operation. Detection, not the wall: the wall is the kernel's template. The client maps
// it read-only after checking the seals (SHRINK, GROW, SEAL, FUTURE_WRITE), so it can neither fault nor be changed.
#pragma once

#include <atomic>
#include <cstdint>

#include "protocol/messages.h"

namespace gssipsec::protocol {

inline constexpr std::uint32_t kPageSlots = 1022;
inline constexpr std::uint32_t kHeartbeatSeconds = 1;   // how often the broker writes
inline constexpr std::uint32_t kHeartbeatLimit = 5;     // older: the broker counts as dead, slots as STALE

inline constexpr std::uint32_t kPageVersion = 1;

struct LatchPage {
  std::atomic<std::uint32_t> version;      // kPageVersion
  std::atomic<std::uint32_t> heartbeat;    // CLOCK_MONOTONIC seconds, truncated to 32 bits
  // generation << 8 | LatchState. A slot is given to another latch only with another generation.
  std::atomic<std::uint32_t> slots[kPageSlots];
};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free && sizeof(LatchPage) == 4096);

[[nodiscard]] constexpr std::uint32_t slot_word(std::uint32_t generation, LatchState state) noexcept {
  return generation << 8 | static_cast<std::uint32_t>(state);
}
// none when the slot belongs to another generation now.
[[nodiscard]] constexpr LatchState state_in(std::uint32_t word, std::uint32_t generation) noexcept {
  return word >> 8 == (generation & 0xffffff) ? static_cast<LatchState>(word & 0xff) : LatchState::none;
}

}  // namespace gssipsec::protocol
