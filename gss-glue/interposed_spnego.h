// SPDX-License-Identifier: MIT
// SPNEGO under the interposer: a negotiation is forwarded as it is. Only where the administrator wants it of this program, and the program
// has not said whose credentials it wants, mechanism ipsec is put before the others that an initiator's credential has. The program's own
// gss_set_neg_mechs() comes later and counts. Threads: any.
#pragma once

#include <memory>

#include "gss-glue/interposed_cred.h"

namespace gssipsec::glue {

[[nodiscard]] bool is_spnego(gss_const_OID_set mechanisms) noexcept;

// Where the mechglue puts a new credential: SPNEGO's into a wrapper of ours, by which it is known from Kerberos'.
class NewCredential {
 public:
  NewCredential(bool of_spnego, gss_cred_id_t* output);
  [[nodiscard]] gss_cred_id_t* place() noexcept { return wrapper_ ? &wrapper_->object.real : output_; }
  // Hands it over where that went well.
  OM_uint32 done(OM_uint32 major) noexcept;

 private:
  std::unique_ptr<InterposedCredentialHandle> wrapper_;
  gss_cred_id_t* output_;
};

// What a program asks of gss_acquire_cred_from().
struct Acquisition {
  gss_name_t name = GSS_C_NO_NAME;
  OM_uint32 seconds = GSS_C_INDEFINITE;
  gss_cred_usage_t usage = GSS_C_INITIATE;
  gss_const_key_value_set_t store = GSS_C_NO_CRED_STORE;
};
OM_uint32 acquire_for_spnego(OM_uint32* minor, const Acquisition& asked, gss_cred_id_t* output, gss_OID_set* actual_mechs, OM_uint32* seconds);
// For an initiator without a credential, where mechanism ipsec is wanted first; it asks for these flags. None: SPNEGO acquires its own,
// and says why it cannot.
[[nodiscard]] gss_cred_id_t default_for_spnego(OM_uint32 flags);

}  // namespace gssipsec::glue
