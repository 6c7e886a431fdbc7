// SPDX-License-Identifier: MIT
// The object identifiers of the project as the content octets of their DER form; docs/protocol.md has the table. Constants.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace gssipsec::mech {

inline constexpr std::size_t kBaseOidSize = 34;
using Oid = std::array<std::uint8_t, kBaseOidSize + 1>;

// 1.2.840.113556.1.8000.2554.29037.34951.56904.17186.41534.6054741.10980991 and one arc below it.
[[nodiscard]] constexpr Oid oid_below_base(std::uint8_t arc) noexcept {
  return {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x14, 0x01, 0xbe, 0x40, 0x93, 0x7a, 0x81, 0xe2, 0x6d, 0x82, 0x91, 0x07, 0x83,
          0xbc, 0x48, 0x81, 0x86, 0x22, 0x82, 0xc4, 0x3e, 0x82, 0xf1, 0xc6, 0x55, 0x85, 0x9e, 0x9c, 0x7f, arc};
}

inline constexpr Oid kMechanism = oid_below_base(1);
inline constexpr Oid kInterposer = oid_below_base(2);
inline constexpr Oid kNameType = oid_below_base(3);
inline constexpr Oid kSetThreadSocket = oid_below_base(4);
inline constexpr Oid kSetCredentialSocket = oid_below_base(5);
inline constexpr Oid kExternal = oid_below_base(6);
// .7 is the prefix of name attributes (attributes.h).
inline constexpr Oid kSpnegoInterposer = oid_below_base(8);

}  // namespace gssipsec::mech
