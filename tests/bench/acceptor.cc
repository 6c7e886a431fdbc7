// SPDX-License-Identifier: MIT
#include "tests/bench/acceptor.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "tests/bench/hosts.h"
#include "tests/bench/tcp.h"

namespace gssipsec::bench {
namespace {

struct Door {
  Mechanism mechanism;
  base::UniqueFd listener;
};

void establish(Context& context, const Credential& credential, int fd, std::string input) {
  std::string output;
  for (bool done = false; !done; input = done ? "" : receive_token(fd)) {
    done = context.accept(credential, input, output);
    if (!output.empty()) send_token(fd, output);
  }
  context.must_be_mutual();
}

// A credential of `ipsec` names the socket, so it is made when the first token is here: as part of what is measured.
void serve(int fd, Mechanism mechanism, const Credential& krb5) {
  Context context(mechanism);
  send_token(fd, "");
  const std::string first = receive_token(fd);
  if (mechanism == Mechanism::krb5) {
    establish(context, krb5, fd, first);
  } else {
    const Credential own(mechanism, GSS_C_ACCEPT, {{"ipsec-socket", std::to_string(fd)}});
    establish(context, own, fd, first);
  }
  char none;
  (void)!recv(fd, &none, 1, 0);
}

void serve_all(const std::array<Door, 3>& doors, const Credential& krb5) {
  std::array<pollfd, 3> polled;
  for (std::size_t at = 0; at < doors.size(); ++at) polled[at] = {doors[at].listener.get(), POLLIN, 0};
  if (poll(polled.data(), polled.size(), -1) < 0) return;
  for (std::size_t at = 0; at < doors.size(); ++at) {
    if (!(polled[at].revents & POLLIN)) continue;
    const base::UniqueFd connection = accept_one(doors[at].listener.get());
    serve(connection.get(), doors[at].mechanism, krb5);
  }
}

}  // namespace

void run_acceptor(const support::Krb5Ticket& ticket, int ready) try {
  const Credential krb5(Mechanism::krb5, GSS_C_ACCEPT, {{"keytab", ticket.keytab()}});
  const std::array<Door, 3> doors{Door{Mechanism::krb5, listen_at(Hosts::kKrb5Port)}, Door{Mechanism::ipsec, listen_at(Hosts::kIpsecPort)},
                                  Door{Mechanism::ipsec, listen_at(Hosts::kLowPort)}};
  if (write(ready, "r", 1) != 1) _exit(1);
  for (;;) serve_all(doors, krb5);
} catch (const std::exception& error) {
  std::fprintf(stderr, "acceptor: %s\n", error.what());
  _exit(1);
}

}  // namespace gssipsec::bench
