// SPDX-License-Identifier: MIT
// What the broker's mirror costs with 10, 1,000 and 100,000 SAs: generated netlink through the real decoder, mirror and
// resolver. What a change of one SA costs with 10 and with 10,000 latches. And what a look through the output of ip(8) costs for the same.
#pragma once

#include <benchmark/benchmark.h>

namespace gssipsec::bench {

void query_sas(benchmark::State& state, std::size_t sas);
void resync_sas(benchmark::State& state, std::size_t sas);
void latches(benchmark::State& state, std::size_t count);
void query_ip_xfrm(benchmark::State& state, std::size_t sas);

}  // namespace gssipsec::bench
