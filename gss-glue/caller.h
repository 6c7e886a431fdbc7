// SPDX-License-Identifier: MIT
// Who called libgssapi. Threads: any.
#pragma once

namespace gssipsec::glue {

// To be asked in an entry point of the interposer: the program called libgssapi for another mechanism (SPNEGO), which called libgssapi
// for this one. No argument tells that.
[[nodiscard]] bool is_called_by_mechanism() noexcept;

}  // namespace gssipsec::glue
