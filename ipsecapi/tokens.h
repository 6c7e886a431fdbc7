// SPDX-License-Identifier: MIT
// What is behind the tokens of <ipsec/ipsecapi.h>. Plain values: a token that nobody changes may be read by many threads.
#pragma once

#include <ipsec/ipsecapi.h>

#include <optional>

#include "base/handle.h"
#include "channel/identity.h"
#include "protocol/messages.h"

namespace gssipsec::api {

// Of one end of a protection, or one that is wanted there.
struct Identity {
  channel::Identity id;
  channel::AuthMethod method = channel::AuthMethod::unknown;
  bool proven = false;  // IKE did, for the socket that it was found on
  bool wanted = false;  // made by the program: set, or imported
};
// Equal, and each of them proven or wanted: what nobody proved is like nothing.
[[nodiscard]] bool same_identity(const Identity& one, const Identity& other) noexcept;

// What is wanted at least.
struct Wanted {
  bool privacy = false, integrity = false, replay = false;
  std::uint16_t key_bits = 0;
  bool authenticated = false;  // BTNS is forbidden
  protocol::Strength privacy_level = protocol::Strength::any, integrity_level = protocol::Strength::any;
  bool operator==(const Wanted&) const = default;
};

// Found on a socket, or a template.
struct Protection {
  std::optional<protocol::SurveyReply> found;
  Wanted wanted;
  bool foreseen = false;  // found before there was a connection
};

using ProtectionHandle = base::Handle<Protection, ipsec_pToken_t, 0x697073656370746b>;
using IdentityHandle = base::Handle<Identity, ipsec_iToken_t, 0x697073656369746b>;

// Null for what is no such token.
[[nodiscard]] inline Protection* protection_of(const void* token) noexcept {
  auto* handle = ProtectionHandle::of(static_cast<ipsec_pToken_t>(const_cast<void*>(token)));
  return handle ? &handle->object : nullptr;
}
[[nodiscard]] inline Identity* identity_of(const void* token) noexcept {
  auto* handle = IdentityHandle::of(static_cast<ipsec_iToken_t>(const_cast<void*>(token)));
  return handle ? &handle->object : nullptr;
}
[[nodiscard]] inline ipsec_iToken_t new_token(Identity identity) { return IdentityHandle::give(IdentityHandle::make(std::move(identity))); }

// Octets that name a proven or wanted identity; PEER_UNAUTHENTICATED otherwise. The other way BAD_NAME, TOKEN_VERSION. Pure.
[[nodiscard]] base::Result<base::Bytes> export_identity(const Identity& identity);
[[nodiscard]] base::Result<Identity> import_identity(base::View octets);

// Octets that hold a template; the other way BAD_ARGUMENT, TOKEN_VERSION. Pure.
[[nodiscard]] base::Bytes export_template(const Wanted& wanted);
[[nodiscard]] base::Result<Wanted> import_template(base::View octets);

}  // namespace gssipsec::api
