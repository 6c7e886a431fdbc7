// SPDX-License-Identifier: MIT
// An internet address, and a prefix of one. Pure values.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace gssipsec::channel {

enum class Family : std::uint8_t { none = 0, ipv4 = 4, ipv6 = 6 };

struct Address {
  Family family = Family::none;
  std::array<std::byte, 16> octets{};  // IPv4 in the first four; the rest zero

  auto operator<=>(const Address&) const = default;
  [[nodiscard]] std::size_t size() const noexcept { return family == Family::ipv4 ? 4 : family == Family::ipv6 ? 16 : 0; }
  [[nodiscard]] base::View view() const noexcept { return base::View(octets).first(size()); }
  [[nodiscard]] bool is_any() const noexcept;        // 0.0.0.0, :: or no family
  [[nodiscard]] bool is_loopback() const noexcept;   // 127/8, ::1
  [[nodiscard]] bool is_v4_mapped() const noexcept;  // ::ffff:a.b.c.d
  [[nodiscard]] Address unmapped() const noexcept;   // the IPv4 address inside, or itself
};

// The first `length` bits of it; without any, no address at all.
[[nodiscard]] Address masked(const Address& address, unsigned length) noexcept;
[[nodiscard]] Address address_from(Family family, base::View octets);
[[nodiscard]] base::Result<Address> parse_address(std::string_view text);
[[nodiscard]] std::string format(const Address& address);

struct Prefix {
  Address address;
  std::uint8_t length = 0;

  auto operator<=>(const Prefix&) const = default;
  // A zero-length prefix contains every address of any family, as in the kernel's selectors.
  [[nodiscard]] bool contains(const Address& other) const noexcept;
};

[[nodiscard]] std::string format(const Prefix& prefix);

}  // namespace gssipsec::channel
