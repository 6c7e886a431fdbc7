// SPDX-License-Identifier: MIT
// Benchmarks by name; tests/bench/run runs them, keeps the results and works out the ratios that matter.
//   acquire_cred/*   default credentials of all mechanisms: with the plugin and no broker, and without the plugin
//   */interposed     Kerberos with the interposer before it, over a channel that both ends switch to
//   context/*        mutual authentication over a new TCP connection between two processes in two namespaces
//   wrap_unwrap/*    gss_wrap with confidentiality, and gss_unwrap by the other end, in one process
//   wrap_unwrap_iov/*  gss_wrap_iov and gss_unwrap_iov in place, HEADER beside the message
//   query/broker     one question about an established connection
//   query/idle       the same, and
//   query/hostile    while other users do their worst
//   events           32 events from the kernel's datagrams to a subscriber
//   latches:N        a change of one SA while there are N latches
//   query/sas:N      one question to the mirror of N SAs; resync/sas:N reads them all anew
//   query/ip_xfrm/N  the same by reading what ip(8) prints
//   api/*            api.h
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "client/broker.h"
#include "tests/bench/acquire.h"
#include "tests/bench/api.h"
#include "tests/bench/changes.h"
#include "tests/bench/contexts.h"
#include "tests/bench/hostile.h"
#include "tests/bench/hosts.h"
#include "tests/bench/pair.h"
#include "tests/bench/queries.h"

namespace {

using namespace gssipsec;
using namespace gssipsec::bench;
using benchmark::State;

constexpr std::size_t kHeaderRoom = 256;

struct World {
  support::Krb5Ticket sha1{"aes256-cts-hmac-sha1-96"}, sha384{"aes256-cts-hmac-sha384-192"};
  Hosts hosts{sha1};
};

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

void wrap_unwrap_pieces(State& state, Pair pair, std::size_t size) {
  std::string message(size, 'm');
  for (auto _ : state) {
    std::string header(kHeaderRoom, '\0');
    pair.initiator->wrap_pieces(message, header);
    pair.acceptor->unwrap_pieces(message, header);
    benchmark::DoNotOptimize(message.data());
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

// The same question alone, and while two other users do their worst: before each one the second's requests are waiting.
void query_beside(State& state, const World& world, bool hostile) {
  std::optional<Attackers> attackers;
  if (hostile) attackers.emplace(world.hosts, getenv("GSS_IPSEC_BROKER"));
  const Hosts::Ends ends = world.hosts.connection_here();
  for (auto _ : state) {
    if (attackers) attackers->send();
    const auto begun = std::chrono::steady_clock::now();
    const auto report = client::Broker::query(ends.client.get(), {});
    state.SetIterationTime(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
    if (!report) return state.SkipWithError(describe(report.error()).c_str());
  }
}

void add_messages(const World& world) {
  for (const std::size_t size : {64u, 1024u, 16384u})
    add(("wrap_unwrap/qop0/" + std::to_string(size)).c_str(), [&, size](State& state) { wrap_unwrap(state, ipsec_pair(world.hosts), 0, size); });
  add("wrap_unwrap/qop1/16384", [&](State& state) { wrap_unwrap(state, ipsec_pair(world.hosts), 1, 16384); });
  add("wrap_unwrap/interposed/16384", [&](State& state) { wrap_unwrap(state, interposed_pair(world.hosts, world.sha1), 0, 16384); });
  for (const std::size_t size : {1024u, 1048576u})
    add(("wrap_unwrap_iov/interposed/" + std::to_string(size)).c_str(),
        [&, size](State& state) { wrap_unwrap_pieces(state, interposed_pair(world.hosts, world.sha1), size); });
  add("wrap_unwrap/krb5_sha1/16384", [&](State& state) { wrap_unwrap(state, krb5_pair(world.sha1), 0, 16384); });
  add("wrap_unwrap/krb5_sha384/16384", [&](State& state) { wrap_unwrap(state, krb5_pair(world.sha384), 0, 16384); });
}

void add_mirrors() {
  for (const std::size_t sas : {10u, 1000u, 100000u}) {
    const std::string count = std::to_string(sas);
    add(("query/sas:" + count).c_str(), [sas](State& state) { query_sas(state, sas); });
    add(("query/ip_xfrm/sas:" + count).c_str(), [sas](State& state) { query_ip_xfrm(state, sas); });
  }
  for (const std::size_t count : {10u, 10000u}) add(("latches:" + std::to_string(count)).c_str(), [count](State& state) { latches(state, count); });
  add("resync/sas:100000", [](State& state) { resync_sas(state, 100000); })->Unit(benchmark::kMillisecond);
}

}  // namespace

int main(int argc, char** argv) try {
  const auto tree = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  setenv("GSS_MECH_CONFIG", (tree / "interposed.conf").c_str(), 0);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const World world;
  world.sha1.use();
  const Acquirer absent((tree / "mech.conf").string()), no_plugin("/dev/null");
  add_contexts({Hosts::kIpsecService, support::Krb5Ticket::kService, world.sha1.ccache()});
  add_messages(world);
  add_mirrors();
  add_api(world.hosts);
  add("query/broker", [&](State& state) { query_broker(state, world); })->UseRealTime();
  for (const bool hostile : {false, true})
    add(hostile ? "query/hostile" : "query/idle", [&, hostile](State& state) { query_beside(state, world, hostile); })->UseManualTime();
  add("acquire_cred/absent", [&](State& state) { absent.measure(state); })->UseManualTime();
  add("acquire_cred/no_plugin", [&](State& state) { no_plugin.measure(state); })->UseManualTime();
  add("events", events)->UseRealTime();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench: %s\n", error.what());
  return 1;
}
