// SPDX-License-Identifier: MIT
// What the mechglue writes in front of exported contexts and credentials: u32 length | object identifier of the mechanism. Pure.
#pragma once

#include "gss-glue/boundary.h"

namespace gssipsec::glue {

// Without it. BAD_TOKEN.
[[nodiscard]] base::Result<base::View> inside_of(base::View token);
// With another one.
[[nodiscard]] base::Bytes under(gss_const_OID mechanism, base::View inside);

[[nodiscard]] inline gss_buffer_desc buffer_of(base::Bytes& octets) noexcept { return {octets.size(), octets.data()}; }

}  // namespace gssipsec::glue
