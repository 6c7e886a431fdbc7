// SPDX-License-Identifier: MIT
#include "mech_ipsec/name.h"

#include <algorithm>

#include "client/broker.h"
#include "mech_ipsec/oids.h"

namespace gssipsec::mech {
namespace {

using base::Code;
using base::Result;

constexpr std::size_t kMaxUser = 255, kMaxName = 1024;
constexpr std::string_view kServicePrefix = "service:", kUserPrefix = "user:";

base::Error unreadable(std::string_view text, const char* wanted) {
  return base::fail(Code::BAD_NAME, "wanted " + std::string(wanted) + ", found '" + std::string(text.substr(0, 255)) + "'");
}

Result<Name> of_peer(Result<channel::Name> peer) {
  if (!peer) return peer.error();
  return Name{*std::move(peer), {}};
}

Result<Name> import_user(std::string_view text) {
  const auto plain = [](char c) { return static_cast<unsigned char>(c) > ' ' && c != 0x7f && c != ':' && c != '@' && c != '/'; };
  if (text.empty() || text.size() > kMaxUser || !std::ranges::all_of(text, plain)) return unreadable(text, "a user of this host");
  return Name{{}, std::string(text)};
}

// What stands in an exported name. Each kind has a prefix of its own: "ipsec:", "service:", "user:".
std::string exported_text(const Name& name) {
  if (name.is_local_user()) return std::string(kUserPrefix) + name.local_user;
  return (name.is_service() ? std::string(kServicePrefix) : std::string()) + format(name.peer);
}

Result<Name> parse_exported_text(std::string_view text) {
  if (text.starts_with(kUserPrefix)) return import_user(text.substr(kUserPrefix.size()));
  if (text.starts_with(kServicePrefix)) return of_peer(channel::parse_service(text.substr(kServicePrefix.size())));
  return of_peer(channel::parse_name(text));
}

constexpr std::uint16_t kPlain = 0x0401, kComposite = 0x0402;

void put_head(base::Writer& out, std::uint16_t kind) {
  out.u16(kind).u16(kMechanism.size() + 2).u8(0x06).u8(kMechanism.size()).raw(std::as_bytes(std::span(kMechanism)));
}

bool take_head(base::Reader& in, std::uint16_t kind) {
  base::Writer wanted;
  put_head(wanted, kind);
  return std::ranges::equal(in.take(wanted.bytes().size()), wanted.bytes());
}

constexpr std::size_t kMaxExportedText = kMaxName + kServicePrefix.size();

base::Error broken_name(std::size_t size) { return base::fail(Code::BAD_TOKEN, "exported name of " + std::to_string(size) + " octets"); }

// Names are compared by their octets, so a second spelling must not get in.
Result<Name> name_as_written(std::string_view text) {
  auto name = parse_exported_text(text);
  if (!name) return name;
  if (name->is_anonymous() || exported_text(*name) != text) return unreadable(text, "an exported name as it was written");
  return name;
}

bool maps_to(const Name& peer, const Name& user) {
  const auto local = local_name(peer);
  return local.ok() && *local == user.local_user;
}

}  // namespace

Result<Name> import_name(NameType type, std::string_view text) {
  // Programs written against Kerberos, gss-server among them, count the final NUL of a C string as part of a name.
  const bool printable = type == NameType::hostbased || type == NameType::user;
  if (printable && !text.empty() && text.back() == '\0') text.remove_suffix(1);
  if (text.size() > kMaxName && type != NameType::exported && type != NameType::composite) return unreadable(text, "a name of at most 1024 octets");
  switch (type) {
    case NameType::unspecified: case NameType::ipsec_id: return of_peer(channel::parse_name(text));
    case NameType::hostbased: return of_peer(channel::parse_service(text));
    case NameType::user: return import_user(text);
    case NameType::anonymous: return Name{};
    case NameType::exported: return import_exported(base::view_of(text));
    case NameType::composite: return import_composite(base::view_of(text));
  }
  return base::fail(Code::NAME_TYPE);
}

std::string display(const Name& name) { return name.is_local_user() ? name.local_user : format(name.peer); }

NameType type_of(const Name& name) noexcept {
  if (name.is_local_user()) return NameType::user;
  if (name.is_service()) return NameType::hostbased;
  return name.is_anonymous() ? NameType::anonymous : NameType::ipsec_id;
}

Result<base::Bytes> export_name(const Name& name) {
  if (name.is_anonymous()) return base::fail(Code::BAD_NAME, "an anonymous name cannot be exported");
  base::Writer out;
  put_head(out, kPlain);
  out.block32(base::view_of(exported_text(name)));
  return std::move(out).take();
}

Result<base::Bytes> export_composite(const Name& name) {
  if (name.is_anonymous()) return base::fail(Code::BAD_NAME, "an anonymous name cannot be exported");
  base::Writer out;
  put_head(out, kComposite);
  out.block32(base::view_of(exported_text(name))).raw(encode(attributes_of(name)));
  return std::move(out).take();
}

Result<Name> import_exported(base::View token) {
  base::Reader in(token);
  const bool ours = take_head(in, kPlain);
  const base::View text = in.block32(kMaxExportedText);
  if (!ours || !in.done()) return broken_name(token.size());
  return name_as_written(base::text_of(text));
}

Result<Name> import_composite(base::View token) {
  base::Reader in(token);
  const bool ours = take_head(in, kComposite);
  const base::View text = in.block32(kMaxExportedText), rest = in.take(in.left());
  if (!ours || in.failed()) return broken_name(token.size());
  auto attributes = decode_attributes(rest);
  if (!attributes) return attributes.error();
  auto name = name_as_written(base::text_of(text));
  if (name.ok() && !attributes->empty()) name->facts = std::make_shared<const PeerFacts>(PeerFacts{{}, {}, *std::move(attributes)});
  return name;
}

std::optional<Attribute> attribute_of(const Name& name, std::string_view attribute) {
  return name.facts ? attribute_of(name.peer, *name.facts, attribute) : std::nullopt;
}

std::vector<Attribute> attributes_of(const Name& name) {
  return name.facts ? attributes_of(name.peer, *name.facts) : std::vector<Attribute>();
}

Result<std::string> display_as(const Name& name, NameType type) {
  if (type == type_of(name) || type == NameType::unspecified) return display(name);
  if (type == NameType::user) return local_name(name);
  return base::fail(Code::NAME_TYPE, display(name) + " has no such form");
}

bool compare(const Name& a, const Name& b) {
  if (a.is_local_user() && b.is_local_user()) return a.local_user == b.local_user;
  if (a.is_local_user()) return maps_to(b, a);
  if (b.is_local_user()) return maps_to(a, b);
  return channel::same(a.peer, b.peer);
}

Result<std::string> local_name(const Name& name) {
  if (name.is_local_user() || name.is_service() || name.is_anonymous())
    return base::fail(Code::NO_LOCAL_NAME, "wanted an authenticated peer, found " + display(name));
  return client::Broker::localname(format(name.peer));
}

}  // namespace gssipsec::mech
