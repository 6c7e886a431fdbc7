// SPDX-License-Identifier: MIT
// Hashes of names that tables are looked up by. Not keyed: whoever may choose enough SPIs or addresses to make them collide
// may as well make as many SAs. Pure.
#pragma once

#include <cstdint>
#include <cstring>

#include "channel/sa.h"

namespace gssipsec::channel {

// A source and a destination.
struct AddressPair {
  Address source, destination;
  auto operator<=>(const AddressPair&) const = default;
};

// The finalizer of MurmurHash3.
[[nodiscard]] constexpr std::uint64_t mixed(std::uint64_t value) noexcept {
  value = (value ^ value >> 33) * 0xff51afd7ed558ccdULL;
  value = (value ^ value >> 33) * 0xc4ceb9fe1a85ec53ULL;
  return value ^ value >> 33;
}

[[nodiscard]] inline std::uint64_t hash_of(const Address& address) noexcept {
  std::uint64_t halves[2];
  static_assert(sizeof halves == sizeof address.octets);
  std::memcpy(halves, address.octets.data(), sizeof halves);
  return mixed(mixed(halves[0] ^ static_cast<std::uint64_t>(address.family)) + halves[1]);
}

struct Hash {
  [[nodiscard]] std::size_t operator()(std::uint32_t number) const noexcept { return mixed(number); }
  [[nodiscard]] std::size_t operator()(const AddressPair& pair) const noexcept { return mixed(hash_of(pair.source)) + hash_of(pair.destination); }
  [[nodiscard]] std::size_t operator()(const SaId& id) const noexcept {
    return mixed(hash_of(id.destination) + (std::uint64_t{id.protocol} << 32 | id.spi));
  }
};

}  // namespace gssipsec::channel
