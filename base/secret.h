// SPDX-License-Identifier: MIT
// Octets that must not outlive their use: wiped when destroyed, moved from or replaced. Not copied by accident
// (`copy()` says so). Growing is not offered, because a reallocation would leave the old octets behind.
#pragma once

#include <string.h>

#include <array>
#include <cstddef>
#include <utility>

#include "base/bytes.h"

namespace gssipsec::base {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::size_t size) : octets_(size) {}
  explicit Secret(View data) : octets_(data.begin(), data.end()) {}
  Secret(Secret&& other) noexcept : octets_(std::move(other.octets_)) { other.octets_.clear(); }
  Secret& operator=(Secret&& other) noexcept {
    wipe();
    octets_ = std::move(other.octets_);
    other.octets_.clear();
    return *this;
  }
  ~Secret() { wipe(); }

  [[nodiscard]] Secret copy() const { return Secret(view()); }
  [[nodiscard]] View view() const noexcept { return octets_; }
  [[nodiscard]] std::span<std::byte> bytes() noexcept { return octets_; }
  [[nodiscard]] std::size_t size() const noexcept { return octets_.size(); }
  [[nodiscard]] bool empty() const noexcept { return octets_.empty(); }

 private:
  void wipe() noexcept {
    if (!octets_.empty()) explicit_bzero(octets_.data(), octets_.size());
  }

  Bytes octets_;
};

// A Writer's buffer that held secrets is wiped with this before it goes.
inline void wipe(Bytes& bytes) noexcept {
  if (!bytes.empty()) explicit_bzero(bytes.data(), bytes.size());
  bytes.clear();
}

}  // namespace gssipsec::base
