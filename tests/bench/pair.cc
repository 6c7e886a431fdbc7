// SPDX-License-Identifier: MIT
#include "tests/bench/pair.h"

#include <stdexcept>

namespace gssipsec::bench {
namespace {

Pair new_pair(Mechanism mechanism) {
  Pair pair;
  pair.initiator = std::make_unique<Context>(mechanism);
  pair.acceptor = std::make_unique<Context>(mechanism);
  return pair;
}

// The tokens go from hand to hand; `turn` is told whose turn it is.
void shake(Pair& pair, const Credential& first, const Credential& second, const char* service, const auto& turn) {
  const Target target(service);
  std::string token;
  for (bool done = false; !done;) {
    turn(true);
    done = pair.initiator->init(first, target, token, token);
    if (token.empty()) break;
    turn(false);
    pair.acceptor->accept(second, token, token);
  }
  turn(true);
  pair.initiator->must_be_mutual();
  pair.acceptor->must_be_mutual();
}

bool pass(Context& from, Context& to) {
  Buffer token, message;
  from.wrap("a message", 0, token);
  const bool rests = by_channel(token);
  to.unwrap(token, message);
  return rests;
}

void switch_both(Pair& pair) {
  for (int turn = 0; turn < 4; ++turn)
    if (pass(*pair.acceptor, *pair.initiator) & pass(*pair.initiator, *pair.acceptor)) return;
  throw std::runtime_error("messages do not rest on the channel");
}

}  // namespace

Pair ipsec_pair(const Hosts& hosts) {
  Pair pair = new_pair(Mechanism::ipsec);
  pair.ends = hosts.connection_here();
  const auto turn = [&](bool first) { first ? hosts.ask_first_broker() : hosts.ask_second_broker(); };
  const auto credential = [&](bool first, int fd) {
    turn(first);
    return Credential(Mechanism::ipsec, first ? GSS_C_INITIATE : GSS_C_ACCEPT, {{"ipsec-socket", std::to_string(fd)}});
  };
  const Credential initiates = credential(true, pair.ends.client.get()), accepts = credential(false, pair.ends.server.get());
  shake(pair, initiates, accepts, Hosts::kIpsecService, turn);
  return pair;
}

// Both ends are in one process: each names its socket.
Pair interposed_pair(const Hosts& hosts, const support::Krb5Ticket& ticket) {
  Pair pair = new_pair(Mechanism::interposed);
  pair.ends = hosts.connection_here();
  const Credential initiates(Mechanism::interposed, GSS_C_INITIATE, {{"ccache", ticket.ccache()}});
  const Credential accepts(Mechanism::interposed, GSS_C_ACCEPT, {{"keytab", ticket.keytab()}});
  shake(pair, initiates, accepts, support::Krb5Ticket::kService, [&](bool first) {
    first ? hosts.ask_first_broker() : hosts.ask_second_broker();
    name_socket((first ? pair.ends.client : pair.ends.server).get());
  });
  name_socket(-1);
  switch_both(pair);
  return pair;
}

Pair krb5_pair(const support::Krb5Ticket& ticket) {
  Pair pair = new_pair(Mechanism::krb5);
  const Credential initiates(Mechanism::krb5, GSS_C_INITIATE, {{"ccache", ticket.ccache()}});
  const Credential accepts(Mechanism::krb5, GSS_C_ACCEPT, {{"keytab", ticket.keytab()}});
  shake(pair, initiates, accepts, support::Krb5Ticket::kService, [](bool) {});
  return pair;
}

}  // namespace gssipsec::bench
