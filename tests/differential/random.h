// SPDX-License-Identifier: MIT
// Numbers that a seed determines on every machine (SplitMix64): a case is made again from its seed and number.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

namespace gssipsec::differential {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  Random(std::uint64_t seed, std::uint64_t number) : state_(seed * 0x9e3779b97f4a7c15 + number) { state_ = next(); }

  std::uint64_t next() noexcept {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::uint32_t below(std::uint32_t limit) noexcept { return static_cast<std::uint32_t>(next() % limit); }
  bool chance(std::uint32_t percent) noexcept { return below(100) < percent; }
  template <typename T>
  T of(std::initializer_list<T> values) noexcept {
    return values.begin()[below(static_cast<std::uint32_t>(values.size()))];
  }
  template <typename T>
  const T& of(const std::vector<T>& values) noexcept {
    return values[below(static_cast<std::uint32_t>(values.size()))];
  }

 private:
  std::uint64_t state_;
};

}  // namespace gssipsec::differential
