// SPDX-License-Identifier: MIT
#include "tests/bench/contexts.h"

#include <sys/socket.h>

#include <chrono>
#include <stdexcept>

#include "tests/bench/acceptor.h"
#include "tests/bench/gss.h"
#include "tests/bench/tcp.h"

namespace gssipsec::bench {
namespace {

using benchmark::State;
using std::chrono::steady_clock;

// The initiator's half; the number of tokens that went over.
int establish(Context& context, const Credential& credential, const Target& target, int fd) {
  std::string input, output;
  int tokens = 0;
  for (;;) {
    const bool done = context.init(credential, target, input, output);
    if (!output.empty()) ++tokens, send_token(fd, output);
    if (done) break;
    ++tokens, input = receive_token(fd);
  }
  context.must_be_mutual();
  (void)receive_token(fd);  // the acceptor is done as well
  return tokens;
}

// The acceptor's first message offers to switch only on a context that is bound to the channel.
void must_be_bound(int fd) {
  if (send(fd, "m", 1, MSG_NOSIGNAL) != 1 || !with_offer(receive_token(fd))) throw std::runtime_error("Kerberos alone: the context is not bound");
}

// What is timed is the exchange alone, with credentials held, until both ends are established.
void repeat_contexts(State& state, std::uint16_t port, Mechanism mechanism, const Target& target, const auto& credential_for, bool offers = false) {
  int tokens = 0;
  for (auto _ : state) {
    const base::UniqueFd fd = connect_to(port);
    (void)receive_token(fd.get());  // the acceptor is ready
    const auto& credential = credential_for(fd.get());
    const auto begin = steady_clock::now();
    Context context(mechanism);
    tokens = establish(context, credential, target, fd.get());
    state.SetIterationTime(std::chrono::duration<double>(steady_clock::now() - begin).count());
    if (offers) must_be_bound(fd.get());
  }
  state.counters["tokens"] = tokens;
}

void context_krb5(State& state, const Peers& peers) {
  const Credential credential(Mechanism::krb5, GSS_C_INITIATE, {{"ccache", peers.ccache}});
  const Target target(peers.krb5_service);
  repeat_contexts(state, kKrb5Port, Mechanism::krb5, target, [&](int) -> const Credential& { return credential; });
}

// As unmodified programs have it: the socket is looked for.
void context_interposed(State& state, const Peers& peers) {
  const Credential credential(Mechanism::interposed, GSS_C_INITIATE, {{"ccache", peers.ccache}});
  const Target target(peers.krb5_service);
  repeat_contexts(state, kInterposedPort, Mechanism::interposed, target, [&](int) -> const Credential& { return credential; }, peers.offers);
}

// The credential names the socket, so there is one for each connection.
void context_ipsec(State& state, const Peers& peers) {
  const Target target(peers.ipsec_service);
  repeat_contexts(state, kIpsecPort, Mechanism::ipsec, target, [](int fd) {
    return Credential(Mechanism::ipsec, GSS_C_INITIATE, {{"ipsec-socket", std::to_string(fd)}});
  });
}

}  // namespace

void add_contexts(const Peers& peers) {
  const auto timed = [](benchmark::internal::Benchmark* added) { added->UseManualTime()->Unit(benchmark::kMicrosecond); };
  timed(add("context/ipsec", [peers](State& state) { context_ipsec(state, peers); }));
  timed(add("context/interposed", [peers](State& state) { context_interposed(state, peers); }));
  timed(add("context/krb5", [peers](State& state) { context_krb5(state, peers); }));
}

}  // namespace gssipsec::bench
