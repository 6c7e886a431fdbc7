// SPDX-License-Identifier: MIT
#include "channel/name.h"

#include <algorithm>

namespace gssipsec::channel {
namespace {

using base::Code;

constexpr std::string_view kPrefix = "ipsec:";
constexpr std::string_view kAnonymousText = "ipsec:anonymous";
constexpr std::size_t kMaxText = 1600;  // an identity and a user of 255 octets, every one escaped

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

std::string escape(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (plain(c)) out += c;
    else (out += '%') += {kDigits[octet >> 4], kDigits[octet & 15]};
  }
  return out;
}

int digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

// The one text that escape() writes, or nothing: two spellings of one name would defeat comparisons of text.
std::optional<std::string> unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size() || digit(text[i + 1]) < 0 || digit(text[i + 2]) < 0) return std::nullopt;
    out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
    i += 2;
  }
  return escape(out) == text ? std::optional(out) : std::nullopt;
}

base::Error unreadable(std::string_view text, const char* wanted) {
  return base::fail(Code::BAD_NAME, "wanted " + std::string(wanted) + ", found '" + std::string(text.substr(0, 255)) + "'");
}

// One spelling for one host; what is neither a name nor an address stays as it is and matches nobody.
std::string canonical_host(std::string_view host) {
  for (const IdType type : {IdType::fqdn, IdType::ipv4, IdType::ipv6})
    if (const auto identity = make_identity(type, host); identity.ok()) return identity->value;
  return std::string(host);
}

// The part behind "ipsec:<type>:".
base::Result<Name> parse_body(IdType type, std::string_view body, std::string_view whole) {
  const std::size_t slash = body.find('/');
  const auto host = unescape(body.substr(0, slash));
  const auto user = slash == std::string_view::npos ? std::optional<std::string>("") : unescape(body.substr(slash + 1));
  if (!host || !user || (slash != std::string_view::npos && user->empty())) return unreadable(whole, "ipsec:<type>:<host> or ipsec:<type>:<host>/<user>");
  auto identity = make_identity(type, *host);
  if (!identity.ok()) return identity.error();
  Name name;
  name.kind = user->empty() ? Name::Kind::host : Name::Kind::user;
  name.identity = std::move(*identity);
  name.user = *user;
  return name;
}

std::string describe_for_people(const Name& name) { return name.kind == Name::Kind::anonymous ? "an anonymous peer" : format(name); }

base::Status wrong_peer(const Name& wanted, const Name& actual) {
  return base::fail(Code::WRONG_PEER, "wanted " + format(wanted) + ", found " + describe_for_people(actual));
}

bool has_identity(const Name& name) {
  return (name.kind == Name::Kind::host || name.kind == Name::Kind::user) && name.identity.type != IdType::none;
}

bool host_satisfied(const Name& wanted, const Name& actual) {
  return has_identity(actual) && (wanted.host.empty() || matches_host(actual.identity, wanted.host));
}

}  // namespace

std::string format(const Name& name) {
  if (name.kind == Name::Kind::anonymous) return std::string(kAnonymousText);
  if (name.kind == Name::Kind::service) return name.host.empty() ? name.service : name.service + "@" + name.host;
  std::string text = std::string(kPrefix) + id_type_name(name.identity.type) + ":" + escape(name.identity.value);
  if (name.kind == Name::Kind::user) text += "/" + escape(name.user);
  return text;
}

base::Result<Name> parse_name(std::string_view text) {
  if (text.size() > kMaxText) return unreadable(text, "a name of at most 1600 octets");
  if (text == kAnonymousText) return Name{};
  if (!text.starts_with(kPrefix)) {
    auto identity = parse_identity(text);
    if (!identity.ok()) return identity.error();
    Name name;
    name.kind = Name::Kind::host;
    name.identity = std::move(*identity);
    return name;
  }
  const std::string_view typed = text.substr(kPrefix.size());
  for (const IdType type : {IdType::ipv4, IdType::fqdn, IdType::rfc822, IdType::ipv6, IdType::dn, IdType::key_id, IdType::key_sha256, IdType::hit}) {
    const std::string prefix = std::string(id_type_name(type)) + ":";
    if (typed.starts_with(prefix)) return parse_body(type, typed.substr(prefix.size()), text);
  }
  return unreadable(text, "an identity type behind 'ipsec:'");
}

Name process_name(const Identity& host, bool anonymous, bool privileged, const std::string& user) {
  Name name;
  if (anonymous || (!privileged && user.empty())) return name;
  name.kind = privileged ? Name::Kind::host : Name::Kind::user;
  name.identity = host;
  if (!privileged) name.user = user;
  return name;
}

base::Result<Name> parse_wanted(std::string_view text) {
  auto own = parse_name(text);
  return own ? own : parse_service(text);
}

base::Result<Name> parse_service(std::string_view text) {
  const std::size_t at = text.find('@');
  Name name;
  name.kind = Name::Kind::service;
  name.service = std::string(text.substr(0, at));
  if (at != std::string_view::npos) name.host = canonical_host(text.substr(at + 1));
  const bool good_service = !name.service.empty() && name.service.size() <= 64 && std::ranges::all_of(name.service, plain);
  const bool good_host = name.host.size() <= 253 && std::ranges::all_of(name.host, [](char c) { return plain(c) || c == ':'; });
  if (!good_service || !good_host || (at != std::string_view::npos && name.host.empty())) return unreadable(text, "service or service@host");
  return name;
}

base::Status satisfies(const Name& wanted, const Name& actual, const std::vector<std::string>& services) {
  switch (wanted.kind) {
    case Name::Kind::anonymous: return actual.kind == Name::Kind::anonymous ? base::Status() : wrong_peer(wanted, actual);
    case Name::Kind::host: return has_identity(actual) && actual.identity == wanted.identity ? base::Status() : wrong_peer(wanted, actual);
    case Name::Kind::user: return has_identity(actual) && actual == wanted ? base::Status() : wrong_peer(wanted, actual);
    case Name::Kind::service: break;
  }
  if (!host_satisfied(wanted, actual)) return wrong_peer(wanted, actual);
  if (std::ranges::find(services, wanted.service) == services.end())
    return base::fail(Code::SERVICE_DENIED, "wanted service '" + wanted.service + "', which the peer's broker does not grant to the process there");
  return {};
}

bool same(const Name& a, const Name& b) noexcept { return a.kind != Name::Kind::anonymous && a == b; }

}  // namespace gssipsec::channel
