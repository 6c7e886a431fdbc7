// SPDX-License-Identifier: MIT
#include "channel/address.h"

#include <arpa/inet.h>

#include <algorithm>

namespace gssipsec::channel {
namespace {

int native(Family family) { return family == Family::ipv4 ? AF_INET : AF_INET6; }

bool same_bits(base::View a, base::View b, unsigned bits) noexcept {
  const std::size_t whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole), b.begin())) return false;
  const unsigned rest = bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::byte>(0xff00 >> rest);
  return (a[whole] & mask) == (b[whole] & mask);
}

}  // namespace

bool Address::is_any() const noexcept {
  return std::ranges::all_of(view(), [](std::byte octet) { return octet == std::byte{0}; });
}

bool Address::is_loopback() const noexcept {
  const Address plain = unmapped();
  if (plain.family == Family::ipv4) return plain.octets[0] == std::byte{127};
  return plain.family == Family::ipv6 && plain.octets[15] == std::byte{1} &&
         std::ranges::all_of(plain.view().first(15), [](std::byte octet) { return octet == std::byte{0}; });
}

bool Address::is_v4_mapped() const noexcept {
  static constexpr std::array<std::byte, 12> kMapped = {{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, std::byte{0xff}, std::byte{0xff}}};
  return family == Family::ipv6 && std::ranges::equal(view().first(12), kMapped);
}

Address Address::unmapped() const noexcept { return is_v4_mapped() ? address_from(Family::ipv4, view().subspan(12)) : *this; }

Address masked(const Address& address, unsigned length) noexcept {
  Address out;
  if (length == 0) return out;
  out.family = address.family;
  const unsigned whole = std::min<unsigned>(length / 8, out.octets.size()), rest = length % 8;
  std::copy_n(address.octets.begin(), whole, out.octets.begin());
  if (rest != 0 && whole < out.octets.size()) out.octets[whole] = address.octets[whole] & static_cast<std::byte>(0xff00 >> rest);
  return out;
}

Address address_from(Family family, base::View octets) {
  Address out;
  out.family = family;
  if (octets.size() < out.size()) return {};
  std::copy_n(octets.begin(), out.size(), out.octets.begin());
  return out;
}

base::Result<Address> parse_address(std::string_view text) {
  const std::string copy(text);
  Address out;
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    out.family = family;
    if (copy.size() == text.size() && copy.find('\0') == std::string::npos &&
        inet_pton(native(family), copy.c_str(), out.octets.data()) == 1)
      return out;
  }
  return base::fail(base::Code::BAD_NAME, "'" + copy + "' is not an IP address");
}

std::string format(const Address& address) {
  char text[INET6_ADDRSTRLEN];
  if (address.family == Family::none) return "any";
  return inet_ntop(native(address.family), address.octets.data(), text, sizeof text) ? text : "?";
}

bool Prefix::contains(const Address& other) const noexcept {
  if (length == 0) return true;
  return address.family == other.family && length <= address.size() * 8 && same_bits(address.view(), other.view(), length);
}

std::string format(const Prefix& prefix) { return format(prefix.address) + "/" + std::to_string(prefix.length); }

}  // namespace gssipsec::channel
