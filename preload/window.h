// SPDX-License-Identifier: MIT
// The last octets that a socket received, up to 64 KiB. Threads: any number may append, copy and forget at once, without a lock
// (a signal handler may interrupt either): who appends reserves its place first, and who copies leaves out what was overwritten
// meanwhile. Two that append at once may be copied half: then a token is not found, never found where it was not. Lives in memory
// of mmap(), whose pages are given back when it forgets.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "preload/search.h"

namespace gssipsec::preload {

class Window {
 public:
  static constexpr std::size_t kSize = 65536;
  using Copy = std::array<std::byte, kSize>;

  // Null when there is no memory.
  [[nodiscard]] static Window* make() noexcept;
  static void unmake(Window* window) noexcept;

  void append(View octets) noexcept;
  [[nodiscard]] View copy(Copy& out) const noexcept;
  void forget() noexcept;

 private:
  alignas(4096) std::byte octets_[kSize];
  std::atomic<std::uint64_t> end_, start_;  // counted since the window was made
};

}  // namespace gssipsec::preload
