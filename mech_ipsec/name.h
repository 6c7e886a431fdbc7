// SPDX-License-Identifier: MIT
// Names as an application hands them in and gets them out: a channel::Name, or a local user's name, which is only ever
// compared through the administrator's map. Plain values, pure but for compare(), which may ask the broker.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "channel/name.h"

namespace gssipsec::mech {

enum class NameType : std::uint8_t { unspecified, ipsec_id, hostbased, user, anonymous, exported };

struct Name {
  channel::Name peer;
  std::string local_user;  // not empty: a name of this host's user, and `peer` means nothing

  [[nodiscard]] bool is_local_user() const noexcept { return !local_user.empty(); }
  [[nodiscard]] bool is_anonymous() const noexcept { return !is_local_user() && peer.kind == channel::Name::Kind::anonymous; }
  [[nodiscard]] bool is_service() const noexcept { return !is_local_user() && peer.kind == channel::Name::Kind::service; }
  bool operator==(const Name&) const = default;
};

// BAD_NAME, and BAD_TOKEN for a broken exported name.
[[nodiscard]] base::Result<Name> import_name(NameType type, std::string_view text);
[[nodiscard]] std::string display(const Name& name);
[[nodiscard]] NameType type_of(const Name& name) noexcept;

// RFC 2743 3.2: 04 01 | u16 length | 06 length OID | u32 length | name. Equal names have equal octets. BAD_NAME for an
// anonymous name, which would equal every other.
[[nodiscard]] base::Result<base::Bytes> export_name(const Name& name);
[[nodiscard]] base::Result<Name> import_exported(base::View token);

// An anonymous name equals nothing. A peer equals a local user only where the administrator's map says so.
[[nodiscard]] bool compare(const Name& a, const Name& b);
// The local user of a peer by the administrator's map, or NO_LOCAL_NAME and the client's errors.
[[nodiscard]] base::Result<std::string> local_name(const Name& name);

}  // namespace gssipsec::mech
