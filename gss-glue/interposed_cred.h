// SPDX-License-Identifier: MIT
// Credentials under the interposer are the mechglue's own, with Kerberos' inside. Where something is added to one it is wrapped: a
// socket that the program names for its contexts, or that it is no credential of Kerberos at all but one of mechanism ipsec,
// which the administrator wants for this program where it has no ticket, or one of SPNEGO. Threads: any.
#pragma once

#include <optional>

#include "gss-glue/interposed.h"
#include "mech_ipsec/lock.h"

namespace gssipsec::glue {

struct InterposedCredential {
  explicit InterposedCredential(gss_cred_id_t the_real, Inside of = Inside::kerberos) noexcept : real(the_real), inside(of) {}
  InterposedCredential(const InterposedCredential&) = delete;
  InterposedCredential& operator=(const InterposedCredential&) = delete;
  ~InterposedCredential();

  gss_cred_id_t real;
  const Inside inside;
  mech::Mutex mutex;                          // of what follows: options may be set on a credential that another thread uses
  std::optional<client::FoundSocket> socket;  // as it was named, connected or not
};
using InterposedCredentialHandle = base::Handle<InterposedCredential, gss_cred_id_t, 0x69707365636b7263>;

[[nodiscard]] inline gss_cred_id_t real_of(gss_cred_id_t credential) noexcept {
  const auto* handle = InterposedCredentialHandle::of(credential);
  return handle ? handle->object.real : credential;
}
[[nodiscard]] inline bool stands_in(gss_cred_id_t credential) noexcept {
  const auto* handle = InterposedCredentialHandle::of(credential);
  return handle && handle->object.inside == Inside::ipsec;
}
[[nodiscard]] inline bool is_spnegos(gss_cred_id_t credential) noexcept {
  const auto* handle = InterposedCredentialHandle::of(credential);
  return handle && handle->object.inside == Inside::spnego;
}
// By which the mechglue finds what is inside: mechanism ipsec, or Kerberos past us.
[[nodiscard]] gss_OID inside_mechanism(gss_cred_id_t credential, gss_const_OID asked) noexcept;

// The one that the credential names, which is no reason to look for another one when it is not usable; else what is found.
[[nodiscard]] base::Result<client::FoundSocket> socket_for(gss_cred_id_t credential, channel::Role role, base::View token);
// Wraps it where it is not.
[[nodiscard]] InterposedCredential& wrapped(gss_cred_id_t& credential);
void name_socket(InterposedCredential& credential, int fd);

// Whether a credential store says nothing of Kerberos: which cache, which keytab.
[[nodiscard]] bool is_ours_alone(gss_const_key_value_set_t store) noexcept;
// What the administrator's line says of this program; by default that nothing is wanted.
[[nodiscard]] protocol::ProgramPolicy policy_of_program();
// That the administrator wants it of this program.
[[nodiscard]] bool stand_in_is_wanted();
// A credential of mechanism ipsec in the place of a default one of Kerberos, if it is wanted. None: it is not, the store speaks of
// Kerberos, or no protected connection is found. Whether Kerberos has one, the caller has asked before.
[[nodiscard]] gss_cred_id_t acquire_stand_in(gss_const_key_value_set_t store);
// For an initiator without a credential, where it is wanted; asks Kerberos first.
[[nodiscard]] gss_cred_id_t default_stand_in();
// That Kerberos has none: not that it is expired, or in a place that cannot be read.
[[nodiscard]] inline bool has_none(OM_uint32 major) noexcept { return GSS_ROUTINE_ERROR(major) == GSS_S_NO_CRED; }

}  // namespace gssipsec::glue
