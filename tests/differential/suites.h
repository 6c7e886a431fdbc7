// SPDX-License-Identifier: MIT
// Algorithms that the lab's kernels have.
#pragma once

#include "channel/sa.h"
#include "tests/differential/random.h"

namespace gssipsec::differential {

// Gives `sa` algorithms fit for its protocol.
void choose_suite(Random& random, channel::Sa& sa);

}  // namespace gssipsec::differential
