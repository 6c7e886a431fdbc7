// SPDX-License-Identifier: MIT
#include "protocol/layout.h"

namespace gssipsec::protocol {

bool is_name(std::string_view text) noexcept { return text.size() <= kMaxName && clean(text); }

std::string presentable(std::string_view text, std::size_t limit) {
  std::string out(text.substr(0, limit));
  std::replace_if(out.begin(), out.end(), is_control, '?');
  return out;
}

base::Error broken_body(const char* what) {
  return base::fail(base::Code::BAD_MESSAGE, std::string("wanted a whole ") + what + ", found other octets");
}

Out& Out::name(const std::string& value, std::size_t limit) {
  if (value.size() > limit || !clean(value)) throw std::length_error("name in a broker message");
  out_.block16(value);
  return *this;
}

Out& Out::names(const std::vector<std::string>& values, std::size_t limit) {
  if (values.size() > kMaxList) throw std::length_error("list in a broker message");
  u16(static_cast<std::uint16_t>(values.size()));
  for (const std::string& value : values) name(value, limit);
  return *this;
}

Out& Out::lines(const std::vector<std::string>& values, std::size_t limit) {
  const std::size_t count = std::min(values.size(), kMaxList);
  u16(static_cast<std::uint16_t>(count));
  for (std::size_t i = 0; i < count; ++i) out_.block16(presentable(values[i], limit));
  return *this;
}

namespace {

bool is_document(std::string_view text) noexcept {
  return text.size() <= kMaxDocument && std::none_of(text.begin(), text.end(), [](char c) { return c != '\n' && is_control(c); });
}

}  // namespace

Out& Out::document(const std::string& value) {
  if (!is_document(value)) throw std::length_error("document in a broker message");
  out_.block16(value);
  return *this;
}

Out& Out::sealed(const base::Bytes& value) {
  if (value.size() > kMaxSealed) throw std::length_error("sealed assertion or statement in a broker message");
  out_.block16(value);
  return *this;
}

Out& Out::address(const channel::Address& value) {
  out_.u8(static_cast<std::uint8_t>(value.family)).raw(value.view());
  return *this;
}

Out& Out::key(const base::Secret& value) {
  if (value.size() != kSessionKey) throw std::length_error("session key in a broker message");
  out_.reserve(out_.bytes().size() + kSessionKey).raw(value.view());
  return *this;
}

std::uint8_t In::one_of(std::uint8_t lowest, std::uint8_t highest) noexcept {
  const std::uint8_t value = in_.u8();
  if (value >= lowest && value <= highest) return value;
  in_.mark_failed();
  return lowest;
}

In& In::bits(std::uint32_t& value, std::uint32_t known) {
  value = in_.u32();
  if (value & ~known) in_.mark_failed();
  return *this;
}

In& In::name(std::string& value, std::size_t limit) {
  value = in_.text16(limit);
  if (!clean(value)) in_.mark_failed();
  return *this;
}

In& In::names(std::vector<std::string>& values, std::size_t limit) {
  const std::size_t count = in_.u16();
  if (count > kMaxList) in_.mark_failed();
  for (std::size_t i = 0; i < count && !in_.failed(); ++i) name(values.emplace_back(), limit);
  return *this;
}

In& In::document(std::string& value) {
  value = in_.text16(kMaxDocument);
  if (!is_document(value)) in_.mark_failed();
  return *this;
}

In& In::sealed(base::Bytes& value) {
  const base::View got = in_.block16(kMaxSealed);
  value.assign(got.begin(), got.end());
  return *this;
}

In& In::address(channel::Address& value) {
  const std::uint8_t family = in_.u8();
  if (family != 0 && family != 4 && family != 6) in_.mark_failed();
  value.family = static_cast<channel::Family>(family);
  const base::View octets = in_.take(value.size());
  std::copy(octets.begin(), octets.end(), value.octets.begin());
  return *this;
}

In& In::key(base::Secret& value) {
  value = base::Secret(in_.take(kSessionKey));
  return *this;
}

}  // namespace gssipsec::protocol
