// SPDX-License-Identifier: MIT
#include "base/bytes.h"

#include <stdexcept>

namespace gssipsec::base {

View Reader::take(std::size_t length) noexcept {
  if (failed_ || rest_.size() < length) {
    failed_ = true;
    return {};
  }
  const View got = rest_.first(length);
  rest_ = rest_.subspan(length);
  return got;
}

std::uint64_t Reader::number(std::size_t octets) noexcept {
  std::uint64_t value = 0;
  for (const std::byte octet : take(octets)) value = value << 8 | static_cast<std::uint8_t>(octet);
  return value;
}

View Reader::block(std::size_t length, std::size_t limit) noexcept {
  if (length > limit) failed_ = true;
  return take(length);
}

Writer& Writer::number(std::uint64_t value, int octets) {
  for (int shift = (octets - 1) * 8; shift >= 0; shift -= 8) out_.push_back(static_cast<std::byte>(value >> shift));
  return *this;
}

Writer& Writer::block16(View data) {
  if (data.size() > 0xffff) throw std::length_error("block16");
  return u16(static_cast<std::uint16_t>(data.size())).raw(data);
}

Writer& Writer::block32(View data) {
  if (data.size() > 0xffffffff) throw std::length_error("block32");
  return u32(static_cast<std::uint32_t>(data.size())).raw(data);
}

std::string to_hex(View data) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const std::byte octet : data) {
    out += kDigits[static_cast<unsigned>(octet) >> 4];
    out += kDigits[static_cast<unsigned>(octet) & 15];
  }
  return out;
}

bool equal_secret(View a, View b) noexcept {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned>(a[i] ^ b[i]);
  return difference == 0;
}

}  // namespace gssipsec::base
