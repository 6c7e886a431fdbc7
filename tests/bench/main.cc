// SPDX-License-Identifier: MIT
// Benchmarks by name; tests/bench/run runs them, keeps the results and works out the ratios that matter.
//   context/*        mutual authentication over a new TCP connection between two processes in two namespaces
//   wrap_unwrap/*    gss_wrap with confidentiality, and gss_unwrap by the other end, in one process
//   query/broker     one question about an established connection
//   query/sas:N      one question to the mirror of N SAs; resync/sas:N reads them all anew
//   query/ip_xfrm/N  the same by reading what ip(8) prints
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "client/broker.h"
#include "tests/bench/hosts.h"
#include "tests/bench/pair.h"
#include "tests/bench/queries.h"

namespace {

using namespace gssipsec;
using namespace gssipsec::bench;
using benchmark::State;
using std::chrono::steady_clock;

struct World {
  support::Krb5Ticket sha1{"aes256-cts-hmac-sha1-96"}, sha384{"aes256-cts-hmac-sha384-192"};
  Hosts hosts{sha1};
};

// The initiator's half; the number of tokens that went over.
int establish(Context& context, const Credential& credential, const Target& target, int fd) {
  std::string input, output;
  int tokens = 0;
  for (;;) {
    const bool done = context.init(credential, target, input, output);
    if (!output.empty()) ++tokens, send_token(fd, output);
    if (done) return context.must_be_mutual(), tokens;
    ++tokens, input = receive_token(fd);
  }
}

// What is timed is the exchange alone, with credentials held.
void repeat_contexts(State& state, const World& world, std::uint16_t port, Mechanism mechanism, const Target& target, const auto& credential_for) {
  int tokens = 0;
  for (auto _ : state) {
    const base::UniqueFd fd = world.hosts.connect(port);
    const auto& credential = credential_for(fd.get());
    const auto begin = steady_clock::now();
    Context context(mechanism);
    tokens = establish(context, credential, target, fd.get());
    state.SetIterationTime(std::chrono::duration<double>(steady_clock::now() - begin).count());
  }
  state.counters["tokens"] = tokens;
}

void context_krb5(State& state, const World& world) {
  const Credential credential(Mechanism::krb5, GSS_C_INITIATE, {{"ccache", world.sha1.ccache()}});
  const Target target(support::Krb5Ticket::kService);
  repeat_contexts(state, world, Hosts::kKrb5Port, Mechanism::krb5, target, [&](int) -> const Credential& { return credential; });
}

// The credential names the socket, so there is one for each connection.
void context_ipsec(State& state, const World& world, std::uint16_t port) {
  const Target target(Hosts::kIpsecService);
  repeat_contexts(state, world, port, Mechanism::ipsec, target, [](int fd) {
    return Credential(Mechanism::ipsec, GSS_C_INITIATE, {{"ipsec-socket", std::to_string(fd)}});
  });
}

void wrap_unwrap(State& state, Pair pair, gss_qop_t qop, std::size_t size) {
  const std::string message(size, 'm');
  for (auto _ : state) {
    Buffer token, text;
    pair.initiator->wrap(message, qop, token);
    pair.acceptor->unwrap(token, text);
    if (text.length != size) std::abort();
    benchmark::DoNotOptimize(text.value);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(size));
}

void query_broker(State& state, const World& world) {
  const Hosts::Ends ends = world.hosts.connection_here();
  for (auto _ : state) {
    const auto report = client::Broker::query(ends.client.get(), {});
    if (!report) return state.SkipWithError(describe(report.error()).c_str());
  }
}

// A benchmark that throws is reported as an error, by name.
template <typename Body>
benchmark::internal::Benchmark* add(const char* name, Body body) {
  return benchmark::RegisterBenchmark(name, [body](State& state) {
    try {
      body(state);
    } catch (const std::exception& error) {
      state.SkipWithError(error.what());
    }
  });
}

void add_contexts(const World& world) {
  const auto timed = [](benchmark::internal::Benchmark* added) { added->UseManualTime()->Unit(benchmark::kMicrosecond); };
  timed(add("context/ipsec", [&](State& state) { context_ipsec(state, world, Hosts::kIpsecPort); }));
  timed(add("context/ipsec_low_port", [&](State& state) { context_ipsec(state, world, Hosts::kLowPort); }));
  timed(add("context/krb5", [&](State& state) { context_krb5(state, world); }));
}

void add_messages(const World& world) {
  for (const std::size_t size : {64u, 1024u, 16384u})
    add(("wrap_unwrap/qop0/" + std::to_string(size)).c_str(), [&, size](State& state) { wrap_unwrap(state, ipsec_pair(world.hosts), 0, size); });
  add("wrap_unwrap/qop1/16384", [&](State& state) { wrap_unwrap(state, ipsec_pair(world.hosts), 1, 16384); });
  add("wrap_unwrap/krb5_sha1/16384", [&](State& state) { wrap_unwrap(state, krb5_pair(world.sha1), 0, 16384); });
  add("wrap_unwrap/krb5_sha384/16384", [&](State& state) { wrap_unwrap(state, krb5_pair(world.sha384), 0, 16384); });
}

void add_mirrors() {
  for (const std::size_t sas : {10u, 1000u, 100000u}) {
    const std::string count = std::to_string(sas);
    add(("query/sas:" + count).c_str(), [sas](State& state) { query_sas(state, sas); });
    add(("query/ip_xfrm/sas:" + count).c_str(), [sas](State& state) { query_ip_xfrm(state, sas); });
  }
  add("resync/sas:100000", [](State& state) { resync_sas(state, 100000); })->Unit(benchmark::kMillisecond);
}

}  // namespace

int main(int argc, char** argv) try {
  const auto tree = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  setenv("GSS_MECH_CONFIG", (tree / "../glue/mech.conf").c_str(), 0);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const World world;
  world.sha1.use();
  add_contexts(world);
  add_messages(world);
  add_mirrors();
  add("query/broker", [&](State& state) { query_broker(state, world); })->UseRealTime();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench: %s\n", error.what());
  return 1;
}
