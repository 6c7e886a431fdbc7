// SPDX-License-Identifier: MIT
// Names as an application hands them in and gets them out: a channel::Name, or a local user's name, which is only ever
// compared through the administrator's map. Plain values, pure but for what may ask the broker: compare(), display_as(),
// attributes_of().
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "channel/name.h"
#include "mech_ipsec/attributes.h"

namespace gssipsec::mech {

enum class NameType : std::uint8_t { unspecified, ipsec_id, hostbased, user, anonymous, exported, composite };

struct Name {
  channel::Name peer;
  std::string local_user;  // not empty: a name of this host's user, and `peer` means nothing
  std::shared_ptr<const PeerFacts> facts{};  // null: a name that somebody wrote, of which nothing is known

  [[nodiscard]] bool is_local_user() const noexcept { return !local_user.empty(); }
  [[nodiscard]] bool is_anonymous() const noexcept { return !is_local_user() && peer.kind == channel::Name::Kind::anonymous; }
  [[nodiscard]] bool is_service() const noexcept { return !is_local_user() && peer.kind == channel::Name::Kind::service; }
  bool operator==(const Name& other) const { return peer == other.peer && local_user == other.local_user; }
};

// BAD_NAME, and BAD_TOKEN for a broken exported name.
[[nodiscard]] base::Result<Name> import_name(NameType type, std::string_view text);
[[nodiscard]] std::string display(const Name& name);
[[nodiscard]] NameType type_of(const Name& name) noexcept;

// RFC 2743 3.2: 04 01 | u16 length | 06 length OID | u32 length | name. Equal names have equal octets. BAD_NAME for an
// anonymous name, which would equal every other.
[[nodiscard]] base::Result<base::Bytes> export_name(const Name& name);
[[nodiscard]] base::Result<Name> import_exported(base::View token);

// 04 02 instead, and after the name its attributes. Anybody can write one: what is read is not authenticated.
[[nodiscard]] base::Result<base::Bytes> export_composite(const Name& name);
[[nodiscard]] base::Result<Name> import_composite(base::View token);
// Of a context's peer, or of a composite name that was read; empty for all others. May ask the broker.
[[nodiscard]] std::vector<Attribute> attributes_of(const Name& name);
[[nodiscard]] std::optional<Attribute> attribute_of(const Name& name, std::string_view attribute);
// As another type would write it: a service's, or by the administrator's map the local user's. NAME_TYPE where it has no
// such form, NO_LOCAL_NAME and the client's errors.
[[nodiscard]] base::Result<std::string> display_as(const Name& name, NameType type);

// An anonymous name equals nothing. A peer equals a local user only where the administrator's map says so.
[[nodiscard]] bool compare(const Name& a, const Name& b);
// The local user of a peer by the administrator's map, or NO_LOCAL_NAME and the client's errors.
[[nodiscard]] base::Result<std::string> local_name(const Name& name);

}  // namespace gssipsec::mech
