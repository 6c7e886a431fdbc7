// SPDX-License-Identifier: MIT
// libgssapi as the interposer calls it: by address, looked up in the library that the program has loaded. Calls by name would reach
// whichever function of that name comes first in this process, perhaps our own. Threads: any.
#pragma once

#include "gss-glue/gss.h"

namespace gssipsec::glue {

struct Mechglue {
#define GSS_IPSEC_MECHGLUE(name) decltype(&::name) name = nullptr;
#include "gss-glue/mechglue.def"
#undef GSS_IPSEC_MECHGLUE
};

// False: there is no such library in this process, or it lacks a function; then there is no interposer.
[[nodiscard]] bool find_mechglue() noexcept;
// After find_mechglue().
[[nodiscard]] const Mechglue& mechglue() noexcept;

}  // namespace gssipsec::glue
