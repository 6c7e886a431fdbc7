// SPDX-License-Identifier: MIT
#include "ike/id_text.h"

#include <algorithm>

#include "channel/address.h"

namespace gssipsec::ike {
namespace {

using channel::Identity;
using channel::IdType;

constexpr std::size_t kMaxText = 1024;
constexpr std::size_t kMaxHost = 253, kMaxLabel = 63, kMaxLocalPart = 64;

// Not the locale's opinion.
bool digit(char c) { return c >= '0' && c <= '9'; }
bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool printable(char c) { return c >= 0x20 && c < 0x7f; }

template <typename Check>
bool all(std::string_view text, Check check) {
  return std::all_of(text.begin(), text.end(), check);
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kMaxLabel && label.front() != '-' && label.back() != '-' &&
         all(label, [](char c) { return letter(c) || digit(c) || c == '-'; });
}

// RFC 1123 host name. Its last label is not a number, so that no broken address passes.
bool is_host(std::string_view text) {
  if (text.empty() || text.size() > kMaxHost) return false;
  for (;;) {
    const std::size_t dot = text.find('.');
    const std::string_view label = text.substr(0, dot);
    if (!is_label(label)) return false;
    if (dot == std::string_view::npos) return !all(label, digit);
    text.remove_prefix(dot + 1);
  }
}

// An unquoted local part (RFC 5322 dot-atom), without the characters that other types use.
bool is_local_part(std::string_view text) {
  if (text.empty() || text.size() > kMaxLocalPart || text.front() == '.' || text.back() == '.') return false;
  return text.find("..") == std::string_view::npos &&
         all(text, [](char c) { return letter(c) || digit(c) || std::string_view("._+-").find(c) != std::string_view::npos; });
}

bool is_mailbox(std::string_view text) {
  const std::size_t at = text.find('@');
  return at != std::string_view::npos && is_local_part(text.substr(0, at)) && is_host(text.substr(at + 1));
}

bool is_attribute(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0 || equals + 1 == text.size()) return false;
  // A second '=' would let a value pass for another attribute; '?' stands for what could not be shown.
  return all(text.substr(0, equals), [](char c) { return letter(c) || digit(c) || c == '.'; }) &&
         all(text.substr(equals + 1), [](char c) { return printable(c) && c != '=' && c != '?' && c != '"' && c != '\\'; });
}

// "C=CH, O=Example, CN=host": attributes set apart by ", ". A comma in a value makes two readings, hence none.
bool is_dn(std::string_view text) {
  for (;;) {
    const std::size_t comma = text.find(", ");
    const std::string_view part = text.substr(0, comma);
    if (part.find(',') != std::string_view::npos || !is_attribute(part)) return false;
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 2);
  }
}

Identity made(IdType type, std::string_view text) {
  auto identity = channel::make_identity(type, text);
  return identity ? *std::move(identity) : Identity{};
}

}  // namespace

Identity infer_identity(std::string_view text) {
  if (text.empty() || text.size() > kMaxText || text.find_first_of("*%") != std::string_view::npos || !all(text, printable)) return {};
  if (const auto address = channel::parse_address(text)) {
    if (address->is_any()) return {};
    return made(address->family == channel::Family::ipv4 ? IdType::ipv4 : IdType::ipv6, text);
  }
  if (is_dn(text)) return made(IdType::dn, text);
  if (is_mailbox(text)) return made(IdType::rfc822, text);
  if (is_host(text)) return made(IdType::fqdn, text);
  return {};
}

}  // namespace gssipsec::ike
