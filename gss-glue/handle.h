// SPDX-License-Identifier: MIT
// Names, credentials and contexts behind the opaque pointers of GSS-API. The mechglue owns them between calls.
#pragma once

#include <utility>

#include "base/handle.h"
#include "gss-glue/gss.h"
#include "mech_ipsec/context.h"
#include "mech_ipsec/credential.h"
#include "mech_ipsec/lock.h"
#include "mech_ipsec/name.h"

namespace gssipsec::glue {

// Options may be set on a credential that another thread uses.
struct GuardedCredential {
  explicit GuardedCredential(mech::Credential credential) : value(std::move(credential)) {}
  [[nodiscard]] mech::Credential copy() {
    const mech::Locked lock(mutex);
    return value;
  }
  mech::Mutex mutex;
  mech::Credential value;
};

using NameHandle = base::Handle<mech::Name, gss_name_t, 0x6970736563206e61>;
using CredentialHandle = base::Handle<GuardedCredential, gss_cred_id_t, 0x6970736563206372>;
using ContextHandle = base::Handle<mech::Context, gss_ctx_id_t, 0x697073656320636f>;

}  // namespace gssipsec::glue
