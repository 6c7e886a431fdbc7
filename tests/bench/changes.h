// SPDX-License-Identifier: MIT
// What a change in the kernel costs until somebody hears of it.
#pragma once

#include <benchmark/benchmark.h>

namespace gssipsec::bench {

// From the kernel's datagrams to a subscriber of the whole namespace, through a broker process: a time for each event.
void events(benchmark::State& state);

}  // namespace gssipsec::bench
