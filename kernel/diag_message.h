// SPDX-License-Identifier: MIT
// An answer of sock_diag. Private to kernel/ (and its tests). Pure.
#pragma once

#include "base/bytes.h"
#include "kernel/socket.h"

namespace gssipsec::kernel {

[[nodiscard]] base::Result<DiagSocket> decode_diag(base::View payload);

}  // namespace gssipsec::kernel
