// SPDX-License-Identifier: MIT
// A descriptor as an option's value: decimal digits, or the four octets of an int. Pure.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace gssipsec::glue {

// BAD_ARGUMENT. Four digits are digits: as an int they would be no descriptor of any process.
[[nodiscard]] base::Result<int> socket_of(base::View value);

}  // namespace gssipsec::glue
