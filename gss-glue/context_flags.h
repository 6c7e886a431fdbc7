// SPDX-License-Identifier: MIT
// Between GSS-API's flags, bindings and lifetimes and the mechanism's. Pure.
#pragma once

#include <optional>

#include "base/result.h"
#include "gss-glue/gss.h"
#include "mech_ipsec/context.h"

namespace gssipsec::glue {

// What a context asks the broker for.
[[nodiscard]] std::uint32_t want_of(OM_uint32 request_flags) noexcept;
// What a context gives, truthfully; before completion what it will give.
[[nodiscard]] OM_uint32 flags_of(const mech::Facts& facts) noexcept;
// Nothing for GSS_C_NO_CHANNEL_BINDINGS.
[[nodiscard]] base::Result<std::optional<mech::Digest>> bindings_of(gss_channel_bindings_t bindings);

}  // namespace gssipsec::glue
