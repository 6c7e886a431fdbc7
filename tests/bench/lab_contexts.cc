// SPDX-License-Identifier: MIT
// The context benchmarks between two hosts of the lab, over real ESP and with a real KDC:
//   lab_contexts accept            on B: serves until it is ended; says "ready"
//   lab_contexts [OPTIONS]         on A: Google Benchmark
// Brokers, tickets, keytabs and the interposer are the environment's.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/bench/acceptor.h"
#include "tests/bench/contexts.h"

int main(int argc, char** argv) {
  using namespace gssipsec::bench;
  const char *keytab = getenv("KRB5_KTNAME"), *ccache = getenv("KRB5CCNAME");
  if (keytab == nullptr || ccache == nullptr) return std::fputs("KRB5_KTNAME and KRB5CCNAME are wanted\n", stderr), 2;
  if (argc == 2 && std::string_view(argv[1]) == "accept") run_acceptor(keytab, STDOUT_FILENO);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  constexpr const char* kService = "host@server.example.org";
  add_contexts({kService, kService, ccache, false});
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
