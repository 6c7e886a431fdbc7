// SPDX-License-Identifier: MIT
// The object identifiers that the plugin hands out or understands. Static storage of our own: what is handed out by
// pointer is claimed by gss_internal_release_oid(), because libgssapi would free() it otherwise. Threads: constants.
#pragma once

#include <initializer_list>
#include <optional>

#include "gss-glue/gss.h"
#include "mech_ipsec/name.h"

namespace gssipsec::glue {

[[nodiscard]] gss_OID mechanism() noexcept;
[[nodiscard]] gss_OID set_thread_socket() noexcept;
[[nodiscard]] gss_OID set_credential_socket() noexcept;
[[nodiscard]] gss_OID external() noexcept;
[[nodiscard]] gss_OID sasl_strength() noexcept;
[[nodiscard]] gss_OID session_key() noexcept;

[[nodiscard]] bool same(gss_const_OID a, gss_const_OID b) noexcept;
// Also for GSS_C_NO_OID, which asks for the default mechanism of whoever is asked.
[[nodiscard]] bool is_ours(gss_const_OID mechanism) noexcept;
[[nodiscard]] bool is_static(gss_const_OID oid) noexcept;

[[nodiscard]] gss_OID oid_of(mech::NameType type) noexcept;
[[nodiscard]] std::optional<mech::NameType> name_type_of(gss_const_OID oid) noexcept;

// The caller releases it with gss_release_oid_set (malloc throughout). Throws std::bad_alloc.
[[nodiscard]] gss_OID_set make_set(std::initializer_list<gss_const_OID> oids);

}  // namespace gssipsec::glue
