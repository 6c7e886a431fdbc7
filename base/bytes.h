// SPDX-License-Identifier: MIT
// Bounds-checked reading and writing of octet strings, big endian, for every wire format of the project. A Reader
// that ran over its end stays failed and yields zeros, so a parser reads everything and asks `done()` once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gssipsec::base {

using Bytes = std::vector<std::byte>;
using View = std::span<const std::byte>;

[[nodiscard]] inline View view_of(std::string_view text) noexcept { return std::as_bytes(std::span(text.data(), text.size())); }
[[nodiscard]] inline std::string_view text_of(View view) noexcept {
  return {reinterpret_cast<const char*>(view.data()), view.size()};
}

class Reader {
 public:
  explicit Reader(View data) noexcept : rest_(data) {}

  [[nodiscard]] std::uint8_t u8() noexcept { return static_cast<std::uint8_t>(number(1)); }
  [[nodiscard]] std::uint16_t u16() noexcept { return static_cast<std::uint16_t>(number(2)); }
  [[nodiscard]] std::uint32_t u32() noexcept { return static_cast<std::uint32_t>(number(4)); }
  [[nodiscard]] std::uint64_t u64() noexcept { return number(8); }
  // Exactly `length` octets of the input; empty and failed when there are fewer.
  [[nodiscard]] View take(std::size_t length) noexcept;
  // u16 or u32 length, then that many octets; failed when longer than `limit`.
  [[nodiscard]] View block16(std::size_t limit = 0xffff) noexcept { return block(u16(), limit); }
  [[nodiscard]] View block32(std::size_t limit) noexcept { return block(u32(), limit); }
  [[nodiscard]] std::string text16(std::size_t limit = 0xffff) { return std::string(text_of(block16(limit))); }
  template <std::size_t N>
  void array(std::array<std::byte, N>& out) noexcept;

  void mark_failed() noexcept { failed_ = true; }
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] std::size_t left() const noexcept { return failed_ ? 0 : rest_.size(); }
  // Everything was there and nothing is left over.
  [[nodiscard]] bool done() const noexcept { return !failed_ && rest_.empty(); }

 private:
  std::uint64_t number(std::size_t octets) noexcept;
  View block(std::size_t length, std::size_t limit) noexcept;

  View rest_;
  bool failed_ = false;
};

class Writer {
 public:
  Writer& u8(std::uint8_t value) { return number(value, 1); }
  Writer& u16(std::uint16_t value) { return number(value, 2); }
  Writer& u32(std::uint32_t value) { return number(value, 4); }
  Writer& u64(std::uint64_t value) { return number(value, 8); }
  // Room for `total` octets, so that writing them moves nothing.
  Writer& reserve(std::size_t total) {
    out_.reserve(total);
    return *this;
  }
  Writer& raw(View data) {
    out_.insert(out_.end(), data.begin(), data.end());
    return *this;
  }
  Writer& raw(std::string_view text) { return raw(view_of(text)); }
  // The caller has bounded the length; longer input is a programming error and throws std::length_error.
  Writer& block16(View data);
  Writer& block16(std::string_view text) { return block16(view_of(text)); }
  Writer& block32(View data);

  [[nodiscard]] const Bytes& bytes() const& noexcept { return out_; }
  [[nodiscard]] Bytes take() && noexcept { return std::move(out_); }

 private:
  Writer& number(std::uint64_t value, int octets);

  Bytes out_;
};

[[nodiscard]] std::string to_hex(View data);
// Equal, in time that depends on the lengths only.
[[nodiscard]] bool equal_secret(View a, View b) noexcept;

template <std::size_t N>
void Reader::array(std::array<std::byte, N>& out) noexcept {
  const View got = take(N);
  for (std::size_t i = 0; i < N; ++i) out[i] = i < got.size() ? got[i] : std::byte{0};
}

}  // namespace gssipsec::base
