// SPDX-License-Identifier: MIT
// The attributes of tokens: one number each, read and where it is a wish set.
#include <cstring>

#include "ipsecapi/boundary.h"
#include "ipsecapi/facts.h"
#include "ipsecapi/socket_address.h"

namespace gssipsec::api {
namespace {

using base::Code;
using channel::IdType;
using protocol::Strength;
using protocol::Report;

constexpr std::uint32_t kLowest = IPSEC_API_ATTR_LEVEL_LOW;  // the others are multiples of it

// Where one value goes: a length in and out, and the caller's room, perhaps none.
class Room {
 public:
  Room(std::uint32_t* length, void* value) noexcept : length_(length), value_(value) {}

  int number(std::uint32_t number) noexcept { return octets(&number, sizeof number); }
  int enabled(bool is) noexcept { return number(is ? IPSEC_API_ATTR_ENABLE : IPSEC_API_ATTR_DISABLE); }
  int wish(bool is) noexcept { return number(is ? IPSEC_API_ATTR_ENABLE : IPSEC_API_ATTR_ANY); }
  int level(bool is, Strength level) noexcept { return level == Strength::any ? wish(is) : number(kLowest * static_cast<std::uint32_t>(level)); }
  int text(const std::string& text) noexcept { return octets(text.c_str(), text.size() + 1); }
  int ends(const channel::Address& local, std::uint16_t local_port, const channel::Address& peer, std::uint16_t peer_port) noexcept {
    ipsec_ends both{};
    socket_address(local, local_port, both.local), socket_address(peer, peer_port, both.peer);
    return octets(&both, sizeof both);
  }
  // Made only where there is room for it.
  int token(Identity identity) {
    if (!has_room(sizeof(ipsec_iToken_t))) return refused_;
    const ipsec_iToken_t made = new_token(std::move(identity));
    return memcpy(value_, &made, sizeof made), 0;
  }

 private:
  bool has_room(std::size_t size) noexcept {
    const bool fits = *length_ >= size;
    *length_ = static_cast<std::uint32_t>(size);
    refused_ = value_ && !fits ? too_short(size) : 0;
    return value_ && fits;
  }
  int octets(const void* from, std::size_t size) noexcept {
    if (!has_room(size)) return refused_;
    return memcpy(value_, from, size), 0;
  }

  std::uint32_t* length_;
  void* value_;
  int refused_ = 0;
};

int no_such_attribute() noexcept { return bad_argument("wanted an attribute of this kind of token"); }
int no_data(const char* what) { return fail(base::fail(Code::UNAVAILABLE, what), ENODATA); }

int get_end(Identity end, Room room) {
  if (end.id.type == IdType::none) return no_data("nobody names this end of the protection");
  return room.token(std::move(end));
}

// The SAs' own ends, where they have two and no more.
int get_outer(const protocol::SurveyReply& found, std::uint32_t attribute, Room room) {
  if (!secured(found.report) || found.outer.local.family == channel::Family::none) return no_data("there are no SAs, or they have several ends");
  if (attribute == IPSEC_API_ATTR_natTraversal) return room.enabled(found.outer.peer_port != 0);
  return room.ends(found.outer.local, found.outer.local_port, found.outer.peer, found.outer.peer_port);
}

int get_found(const Protection& protection, std::uint32_t attribute, Room room) {
  const protocol::SurveyReply& found = *protection.found;
  const Report& report = found.report;
  const Wanted strength = strength_of(report);
  switch (attribute) {
    case IPSEC_API_ATTR_privacyProtected: return room.enabled(strength.privacy);
    case IPSEC_API_ATTR_integrityProtected: return room.enabled(strength.integrity);
    case IPSEC_API_ATTR_replayProtected: return room.enabled(strength.replay);
    case IPSEC_API_ATTR_keyBits: return room.number(strength.key_bits);
    case IPSEC_API_ATTR_policyName: return room.text(report.ike_connection);
    case IPSEC_API_ATTR_iToken:
    case IPSEC_API_ATTR_localId: return get_end(local_of(report), room);
    case IPSEC_API_ATTR_remote_iToken:
    case IPSEC_API_ATTR_peerId: return get_end(peer_of(report), room);
    case IPSEC_API_ATTR_tunnelMode: return room.enabled(mode_of(report) == IPSEC_MODE_TUNNEL);
    case IPSEC_API_ATTR_mode: return room.number(mode_of(report));
    case IPSEC_API_ATTR_latchState: return room.number(static_cast<std::uint32_t>(report.latch));
    case IPSEC_API_ATTR_enforcement: return room.number(enforcement_of(report.latch));
    case IPSEC_API_ATTR_securityFlags: return room.number(flags_of(report));
    case IPSEC_API_ATTR_why: return room.number(static_cast<std::uint32_t>(why_not(report).code));
    case IPSEC_API_ATTR_btns: return no_data("a template's alone");
    case IPSEC_API_ATTR_compressionAvailable: return room.enabled(secured(report) && found.compressed);
    case IPSEC_API_ATTR_ipoptionsProtected: return room.enabled(secured(report) && strength.integrity && found.options_covered);
    case IPSEC_API_ATTR_natTraversal:
    case IPSEC_API_ATTR_outerAddrs: return get_outer(found, attribute, room);
    case IPSEC_API_ATTR_innerAddrs: return room.ends(report.flow.local, report.flow.local_port, report.flow.remote, report.flow.remote_port);
    case IPSEC_API_ATTR_prospect: return protection.foreseen ? room.number(prospect_of(report)) : no_data("of ipsec_probe() alone");
    case IPSEC_API_ATTR_informationString: return room.text(information(report));
    case IPSEC_API_ATTR_auditString: return room.text((protection.foreseen ? "foreseen: " : "") + audit_line(report));
    default: return no_such_attribute();
  }
}

int get_wanted(const Wanted& wanted, std::uint32_t attribute, Room room) {
  switch (attribute) {
    case IPSEC_API_ATTR_privacyProtected: return room.level(wanted.privacy, wanted.privacy_level);
    case IPSEC_API_ATTR_integrityProtected: return room.level(wanted.integrity, wanted.integrity_level);
    case IPSEC_API_ATTR_btns: return room.number(wanted.authenticated ? IPSEC_API_ATTR_DISABLE : IPSEC_API_ATTR_ANY);
    case IPSEC_API_ATTR_replayProtected: return room.wish(wanted.replay);
    case IPSEC_API_ATTR_keyBits: return room.number(wanted.key_bits);
    case IPSEC_API_ATTR_policyName: case IPSEC_API_ATTR_iToken: case IPSEC_API_ATTR_localId: case IPSEC_API_ATTR_remote_iToken:
    case IPSEC_API_ATTR_peerId: case IPSEC_API_ATTR_tunnelMode: case IPSEC_API_ATTR_mode: case IPSEC_API_ATTR_latchState:
    case IPSEC_API_ATTR_enforcement: case IPSEC_API_ATTR_securityFlags: case IPSEC_API_ATTR_why: case IPSEC_API_ATTR_informationString:
    case IPSEC_API_ATTR_compressionAvailable: case IPSEC_API_ATTR_ipoptionsProtected: case IPSEC_API_ATTR_natTraversal: case IPSEC_API_ATTR_innerAddrs:
    case IPSEC_API_ATTR_outerAddrs: case IPSEC_API_ATTR_prospect:
    case IPSEC_API_ATTR_auditString: return no_data("nothing was found yet: the token is a template");
    default: return no_such_attribute();
  }
}

// IKE daemons take an identity of these types from the certificate itself.
bool is_alternative_name(IdType type) noexcept {
  return type == IdType::fqdn || type == IdType::rfc822 || type == IdType::ipv4 || type == IdType::ipv6;
}

int get_of_identity(const Identity& identity, std::uint32_t attribute, Room room) {
  switch (attribute) {
    case IPSEC_API_ATTR_authenticationMethod: return room.number(number_of(identity.method));
    case IPSEC_API_ATTR_authenticated: return room.number(identity.proven ? 1 : 0);
    case IPSEC_API_ATTR_ikeIdType: return room.number(static_cast<std::uint32_t>(identity.id.type));
    case IPSEC_API_ATTR_ikeIdData: return room.text(identity.id.value);
    case IPSEC_API_ATTR_identity: return room.text(format(identity.id));
    case IPSEC_API_ATTR_auditString: return room.text(audit_line(identity));
    case IPSEC_API_ATTR_certificateDN:
      return identity.proven && identity.method == channel::AuthMethod::certificate && identity.id.type == IdType::dn
                 ? room.text(identity.id.value) : no_data("the identity is not a certificate's subject");
    case IPSEC_API_ATTR_certificateAltName:
      return identity.proven && identity.method == channel::AuthMethod::certificate && is_alternative_name(identity.id.type)
                 ? room.text(format(identity.id)) : no_data("the identity is not an alternative name of a certificate");
    case IPSEC_API_ATTR_pubKeyID:
      return identity.proven && identity.id.type == IdType::key_sha256 ? room.text(identity.id.value) : no_data("the identity is not a key's");
    default: return no_such_attribute();
  }
}

bool read_number(std::uint32_t length, const void* value, std::uint32_t& number) noexcept {
  if (length != sizeof number) return false;
  memcpy(&number, value, sizeof number);
  return true;
}

// Less than the administrator asks for cannot be wanted.
int set_wish(bool& wish, std::uint32_t number) {
  if (number == IPSEC_API_ATTR_DISABLE)
    return fail(base::fail(Code::NOT_ALLOWED, "less than the policies demand is the administrator's alone: ip xfrm policy"));
  if (number != IPSEC_API_ATTR_ANY && number != IPSEC_API_ATTR_ENABLE) return bad_argument("wanted IPSEC_API_ATTR_ANY or IPSEC_API_ATTR_ENABLE");
  return wish = number == IPSEC_API_ATTR_ENABLE, 0;
}

int set_level(bool& wish, Strength& level, std::uint32_t number) {
  const bool is_level = number >= kLowest && number <= IPSEC_API_ATTR_LEVEL_HIGH && number % kLowest == 0;
  if (!is_level && set_wish(wish, number) != 0) return -1;
  wish = wish || is_level;
  return level = is_level ? static_cast<Strength>(number / kLowest) : Strength::any, 0;
}

int set_wanted(Protection& protection, std::uint32_t attribute, std::uint32_t length, const void* value) {
  if (protection.found) return fail(base::fail(Code::BAD_ARGUMENT, "what was found is not changed"), EPERM);
  std::uint32_t number = 0;
  if (!read_number(length, value, number)) return bad_argument("wanted a uint32_t");
  Wanted& wanted = protection.wanted;
  switch (attribute) {
    case IPSEC_API_ATTR_privacyProtected: return set_level(wanted.privacy, wanted.privacy_level, number);
    case IPSEC_API_ATTR_integrityProtected: return set_level(wanted.integrity, wanted.integrity_level, number);
    case IPSEC_API_ATTR_btns:
      if (number != IPSEC_API_ATTR_ANY && number != IPSEC_API_ATTR_DISABLE) return bad_argument("wanted IPSEC_API_ATTR_ANY or IPSEC_API_ATTR_DISABLE");
      return wanted.authenticated = number == IPSEC_API_ATTR_DISABLE, 0;
    case IPSEC_API_ATTR_replayProtected: return set_wish(wanted.replay, number);
    case IPSEC_API_ATTR_keyBits:
      if (number > 0xffff) return bad_argument("wanted at most 65535 bits");
      return wanted.key_bits = static_cast<std::uint16_t>(number), 0;
    default: return bad_argument("wanted an attribute that a template can have");
  }
}

int set_identity(Identity& identity, std::uint32_t attribute, std::uint32_t length, const void* value) {
  if (!identity.wanted) return fail(base::fail(Code::BAD_ARGUMENT, "what was found is not changed"), EPERM);
  if (attribute != IPSEC_API_ATTR_identity) return bad_argument("wanted IPSEC_API_ATTR_identity");
  std::string_view text(static_cast<const char*>(value), length);
  if (text.ends_with('\0')) text.remove_suffix(1);
  auto id = channel::parse_identity(text);
  if (!id) return fail(id.error());
  return identity.id = *std::move(id), 0;
}

}  // namespace
}  // namespace gssipsec::api

using namespace gssipsec::api;

#pragma GCC visibility push(default)

int ipsec_get_token_attr(const void* token, uint32_t attribute, uint32_t* length, void* value) {
  const Protection* protection = protection_of(token);
  const Identity* identity = identity_of(token);
  if ((!protection && !identity) || !length) return bad_argument("wanted a token, and a length");
  return guarded([&] {
    const Room room(length, value);
    if (identity) return get_of_identity(*identity, attribute, room);
    return protection->found ? get_found(*protection, attribute, room) : get_wanted(protection->wanted, attribute, room);
  });
}

int ipsec_set_token_attr(void* token, uint32_t attribute, uint32_t length, const void* value) {
  Protection* protection = protection_of(token);
  Identity* identity = identity_of(token);
  if ((!protection && !identity) || !value) return bad_argument("wanted a token, and a value");
  return guarded([&] {
    return protection ? set_wanted(*protection, attribute, length, value) : set_identity(*identity, attribute, length, value);
  });
}

#pragma GCC visibility pop
