// SPDX-License-Identifier: MIT
#include "tests/bench/api.h"

#include <benchmark/benchmark.h>
#include <ipsec/ipsecapi.h>
#include <poll.h>

#include <cstdio>
#include <string>

#include "tests/bench/contexts.h"
#include "tests/unit/kernel/messages.h"

namespace gssipsec::bench {
namespace {

using benchmark::State;

void failed(State& state) {
  char why[512];
  ipsec_get_error(why, sizeof why);
  state.SkipWithError(why);
}

void query(State& state, const Hosts& hosts) {
  const Hosts::Ends ends = hosts.connection_here();
  for (auto _ : state) {
    ipsec_security_info info{};
    info.size = sizeof info;
    if (ipsec_query(ends.client.get(), &info) != 0) return failed(state);
    if (!(info.flags & IPSEC_INFO_PEER_AUTHENTICATED)) return state.SkipWithError(ipsec_strerror(static_cast<int>(info.why)));
  }
}

void raw_getsockopt(State& state, const Hosts& hosts) {
  const Hosts::Ends ends = hosts.connection_here();
  for (auto _ : state) {
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(ends.client.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) return state.SkipWithError("getsockopt");
  }
}

void ip_xfrm(State& state) {
  for (auto _ : state) {
    for (const char* command : {"ip xfrm policy", "ip xfrm state"}) {
      FILE* output = popen(command, "re");
      char line[4096];
      while (output && fgets(line, sizeof line, output)) benchmark::DoNotOptimize(line);
      if (!output || pclose(output) != 0) return state.SkipWithError(command);
    }
  }
}

void latch(State& state, const Hosts& hosts) {
  const Hosts::Ends ends = hosts.connection_here();
  for (auto _ : state) {
    ipsec_latch_t latch = nullptr;
    if (ipsec_create_connection_latch(ends.client.get(), nullptr, nullptr, &latch) != 0 || ipsec_release_latch(latch) != 0) return failed(state);
  }
}

void inquire(State& state, const Hosts& hosts) {
  const Hosts::Ends ends = hosts.connection_here();
  ipsec_latch_t latch = nullptr;
  if (ipsec_create_connection_latch(ends.client.get(), nullptr, nullptr, &latch) != 0) return failed(state);
  for (auto _ : state) {
    ipsec_latch_state now{};
    if (ipsec_inquire_latch(latch, &now, nullptr) != 0) return failed(state);
    if (now != IPSEC_LATCH_ESTABLISHED) return state.SkipWithError("the latch is not established");
  }
  ipsec_release_latch(latch);
}

void event_latency(State& state, const Hosts& hosts) {
  const Hosts::Ends ends = hosts.connection_here();
  const ipsec_event wanted{IPSEC_SN_SA_SOFT_EXPIRE, 1};
  ipsec_subscription_t subscription = nullptr;
  if (ipsec_event_subscribe(ends.client.get(), &wanted, 1, &subscription) != 0) return failed(state);
  xfrm_user_expire expire{};
  expire.state = kernel::testing::sa_info(0x100);  // of the recording: what leaves the first host
  const base::Bytes datagram = kernel::testing::message(XFRM_MSG_EXPIRE, kernel::testing::octets_of(expire));
  pollfd waits{ipsec_event_fd(subscription), POLLIN, 0};
  for (auto _ : state) {
    ipsec_notification event{};
    hosts.kernel_says(datagram);
    if (poll(&waits, 1, 2000) != 1 || ipsec_event_next(subscription, &event) != 1 || event.sn_header.sn_type != IPSEC_SN_SA_SOFT_EXPIRE) {
      state.SkipWithError("the event did not come");
      break;
    }
  }
  ipsec_event_free(subscription);
}

}  // namespace

void add_api(const Hosts& hosts) {
  add("api/query", [&](State& state) { query(state, hosts); })->UseRealTime();
  add("api/getsockopt", [&](State& state) { raw_getsockopt(state, hosts); });
  add("api/ip_xfrm", ip_xfrm)->UseRealTime();
  add("api/latch", [&](State& state) { latch(state, hosts); })->UseRealTime();
  add("api/inquire", [&](State& state) { inquire(state, hosts); });
  add("api/event_latency", [&](State& state) { event_latency(state, hosts); })->UseRealTime();
}

}  // namespace gssipsec::bench
