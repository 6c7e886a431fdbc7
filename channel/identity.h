// SPDX-License-Identifier: MIT
// Who is at the end of an SA, as the IKE daemon (or the administrator) says. Pure values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "channel/address.h"

namespace gssipsec::channel {

// RFC 7296 3.5 types, and our own for keys and HITs. The type is part of an identity: two types with the same text
// are two identities. Numbers are on the wire.
enum class IdType : std::uint8_t { none = 0, ipv4 = 1, fqdn = 2, rfc822 = 3, ipv6 = 5, dn = 9, key_id = 11, key_sha256 = 128, hit = 129 };

struct Identity {
  IdType type = IdType::none;
  std::string value;  // canonical text: fqdn in lower case without final dot, addresses as inet_ntop writes them
  auto operator<=>(const Identity&) const = default;
};

// "fqdn", "rfc822", "dn", "ipv4", "ipv6", "key-id", "key:sha256", "hit".
[[nodiscard]] const char* id_type_name(IdType type) noexcept;
// "fqdn:server.example.org": explicit type, canonicalised. BAD_NAME when it does not fit its type.
[[nodiscard]] base::Result<Identity> parse_identity(std::string_view typed);
[[nodiscard]] std::string format(const Identity& identity);
// Builds and canonicalises; BAD_NAME when `value` does not fit `type`.
[[nodiscard]] base::Result<Identity> make_identity(IdType type, std::string_view value);
// Only fqdn and address identities can equal a host name as applications write it (design/binding.md, Names).
[[nodiscard]] bool matches_host(const Identity& identity, std::string_view host);

enum class AuthMethod : std::uint8_t {
  unknown = 0, null_auth = 1, psk_group = 2, psk_pair = 3, certificate = 4, raw_key = 5, eap = 6, manual = 7
};
[[nodiscard]] const char* auth_method_name(AuthMethod method) noexcept;

// What an IKE source says about the CHILD_SA that an SA belongs to.
struct PeerInfo {
  Identity local, remote;
  AuthMethod local_method = AuthMethod::unknown, remote_method = AuthMethod::unknown;
  bool remote_fixed = false;     // the connection admits exactly this remote identity (no wildcard)
  std::vector<Address> given;    // that our daemon gave to the peer for its own (virtual IPs)
  bool negotiated = false;       // IKE negotiated these SAs; false for manual ones
  std::uint16_t dh_group = 0;    // of the key exchange (IKE transform number); 0 is unknown
  std::string connection, child; // names in the IKE daemon's configuration
  bool leaving = false;          // replaced by a rekey and soon deleted: for packets on their way only
  std::uint64_t ike_sa = 0;      // the first IKE_SA of an unbroken chain of rekeys, unique among all lives of the daemon
  std::string source;            // "vici", "static"
  bool operator==(const PeerInfo&) const = default;

  // IKE (or the administrator for a manual SA) vouches for one single peer: binding.md "Authenticated peer".
  [[nodiscard]] bool authenticated() const noexcept;
};

}  // namespace gssipsec::channel
