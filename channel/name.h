// SPDX-License-Identifier: MIT
// Names of mechanism ipsec: `ipsec:<idtype>:<host>` for a privileged caller, `ipsec:<idtype>:<host>/<user>` for
// others; escaped so that neither '@' nor an unescaped '/' or ':' of an identity can be taken for something else.
// Disjoint from Kerberos principals and host-based services by construction. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "channel/identity.h"

namespace gssipsec::channel {

struct Name {
  enum class Kind : std::uint8_t { anonymous = 0, host = 1, user = 2, service = 3 };
  Kind kind = Kind::anonymous;
  Identity identity;     // host, user
  std::string user;      // user
  std::string service;   // service: a wanted name only, never an initiator's
  std::string host;      // service: host as the application wrote it, lower case; may be empty

  bool operator==(const Name&) const = default;
};

// The display form; percent-escapes everything outside [A-Za-z0-9._-] of host and user (with ':' kept in IPv6 addresses
// only as %3A). "ipsec:anonymous" for anonymous; a service is "service@host", its own name type.
[[nodiscard]] std::string format(const Name& name);
// Reads what format() wrote (not services), or a typed identity "fqdn:server.example.org" (kind host).
[[nodiscard]] base::Result<Name> parse_name(std::string_view text);
// "service@host" or "service": GSS_C_NT_HOSTBASED_SERVICE.
[[nodiscard]] base::Result<Name> parse_service(std::string_view text);

// A wanted name as applications give it: this mechanism's own text, a typed identity, or service@host. BAD_NAME.
[[nodiscard]] base::Result<Name> parse_wanted(std::string_view text);

// Of a process on a host that IKE identified as `host`, as its broker names it; anonymous where it names nobody.
[[nodiscard]] Name process_name(const Identity& host, bool anonymous, bool privileged, const std::string& user);

// Does the peer `actual` (with the services its broker grants) satisfy `wanted`? Error WRONG_PEER or SERVICE_DENIED says why not.
[[nodiscard]] base::Status satisfies(const Name& wanted, const Name& actual, const std::vector<std::string>& services);
// RFC 2743 compare: anonymous equals nothing.
[[nodiscard]] bool same(const Name& a, const Name& b) noexcept;

}  // namespace gssipsec::channel
