// SPDX-License-Identifier: MIT
// Benchmarks context/*: mutual authentication over a new TCP connection to run_acceptor() on the second host.
#pragma once

#include <benchmark/benchmark.h>

#include <exception>
#include <string>

namespace gssipsec::bench {

// A benchmark that throws is reported as an error, by name.
template <typename Body>
benchmark::internal::Benchmark* add(const char* name, Body body) {
  return benchmark::RegisterBenchmark(name, [body](benchmark::State& state) {
    try {
      body(state);
    } catch (const std::exception& error) {
      state.SkipWithError(error.what());
    }
  });
}

struct Peers {
  std::string ipsec_service, krb5_service;  // as GSS_C_NT_HOSTBASED_SERVICE
  std::string ccache;
  bool offers = true;  // the acceptor's first message on a context that is bound to the channel shows it
};

void add_contexts(const Peers& peers);

}  // namespace gssipsec::bench
