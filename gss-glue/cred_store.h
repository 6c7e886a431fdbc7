// SPDX-License-Identifier: MIT
// The credential store of gss_acquire_cred_from, as far as it is ours. Pure.
#pragma once

#include "gss-glue/gss.h"
#include "mech_ipsec/credential.h"

namespace gssipsec::glue {

// BAD_ARGUMENT for a value of ours that is not exactly right.
[[nodiscard]] base::Result<mech::StoreOptions> store_options(gss_const_key_value_set_t store);

}  // namespace gssipsec::glue
