// SPDX-License-Identifier: MIT
#include "channel/identity.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "channel/address.h"

namespace gssipsec::channel {
namespace {

constexpr std::size_t kMaxIdentity = 255;

struct TypeName {
  IdType type;
  const char* name;
};
constexpr std::array<TypeName, 8> kTypes = {{{IdType::ipv4, "ipv4"}, {IdType::fqdn, "fqdn"}, {IdType::rfc822, "rfc822"}, {IdType::ipv6, "ipv6"},
                                             {IdType::dn, "dn"}, {IdType::key_id, "key-id"}, {IdType::key_sha256, "key:sha256"}, {IdType::hit, "hit"}}};

// <cctype> asks the locale of the host program; identities must not depend on it.
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return is_digit(c) || is_letter(c) || c == '-' || c == '_'; });
}

bool is_host(std::string_view host) {
  if (host.empty() || host.size() > 253) return false;
  std::string_view label;
  for (std::size_t start = 0; start <= host.size(); start += label.size() + 1) {
    label = host.substr(start, host.find('.', start) - start);
    if (!is_label(label)) return false;
  }
  return !std::ranges::all_of(label, is_digit);  // the last label of an address is a number, of a name never
}

std::string without_final_dot(std::string_view host) {
  if (host.size() > 1 && host.back() == '.') host.remove_suffix(1);
  return lower_case(host);
}

bool printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits && std::ranges::all_of(text, [](char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f'); });
}

bool is_mailbox(std::string_view text) {
  const std::size_t at = text.find('@');
  return at != std::string_view::npos && at > 0 && printable(text) && text.find(' ') == std::string_view::npos && is_host(text.substr(at + 1));
}

// The canonical text, or "" when `value` does not fit.
std::string canonical(IdType type, std::string_view value) {
  switch (type) {
    case IdType::ipv4:
    case IdType::ipv6:
    case IdType::hit: {
      const auto address = parse_address(value);
      const Family wanted = type == IdType::ipv4 ? Family::ipv4 : Family::ipv6;
      return address.ok() && address->family == wanted ? format(*address) : "";
    }
    case IdType::fqdn: {
      const std::string host = without_final_dot(value);
      return is_host(host) ? host : "";
    }
    case IdType::rfc822: {
      const std::size_t at = value.find('@');
      return is_mailbox(value) ? std::string(value.substr(0, at)) + lower_case(value.substr(at)) : "";
    }
    case IdType::dn: return value.find('=') != std::string_view::npos && printable(value) ? std::string(value) : "";
    case IdType::key_id: return printable(value) ? std::string(value) : "";
    case IdType::key_sha256: return is_hex(value, 64) ? lower_case(value) : "";
    case IdType::none: break;
  }
  return "";
}

}  // namespace

const char* id_type_name(IdType type) noexcept {
  for (const TypeName& entry : kTypes)
    if (entry.type == type) return entry.name;
  return "none";
}

base::Result<Identity> make_identity(IdType type, std::string_view value) {
  std::string text = value.size() <= kMaxIdentity ? canonical(type, value) : "";
  if (text.empty())
    return base::fail(base::Code::BAD_NAME, "'" + std::string(value.substr(0, kMaxIdentity)) + "' is not an identity of type " + id_type_name(type));
  return Identity{type, std::move(text)};
}

base::Result<Identity> parse_identity(std::string_view typed) {
  for (const TypeName& entry : kTypes) {
    const std::string prefix = std::string(entry.name) + ":";
    if (typed.starts_with(prefix)) return make_identity(entry.type, typed.substr(prefix.size()));
  }
  return base::fail(base::Code::BAD_NAME, "'" + std::string(typed.substr(0, kMaxIdentity)) +
                                              "' does not begin with fqdn:, rfc822:, dn:, ipv4:, ipv6:, key-id:, key:sha256: or hit:");
}

std::string format(const Identity& identity) {
  return identity.type == IdType::none ? "" : std::string(id_type_name(identity.type)) + ":" + identity.value;
}

bool matches_host(const Identity& identity, std::string_view host) {
  if (identity.type != IdType::fqdn && identity.type != IdType::ipv4 && identity.type != IdType::ipv6) return false;
  const auto wanted = make_identity(identity.type, host);
  return wanted.ok() && *wanted == identity;
}

const char* auth_method_name(AuthMethod method) noexcept {
  switch (method) {
    case AuthMethod::null_auth: return "none (NULL authentication)";
    case AuthMethod::psk_group: return "pre-shared key of a group";
    case AuthMethod::psk_pair: return "pre-shared key of this pair";
    case AuthMethod::certificate: return "certificate";
    case AuthMethod::raw_key: return "raw public key";
    case AuthMethod::eap: return "EAP";
    case AuthMethod::manual: return "manual keys";
    case AuthMethod::unknown: break;
  }
  return "unknown";
}

bool PeerInfo::authenticated() const noexcept {
  if (remote.type == IdType::none || !remote_fixed) return false;
  switch (remote_method) {
    case AuthMethod::certificate:
    case AuthMethod::raw_key:
    case AuthMethod::psk_pair: return negotiated;
    case AuthMethod::manual: return !negotiated;
    default: return false;
  }
}

}  // namespace gssipsec::channel
