// SPDX-License-Identifier: MIT
#include "tests/bench/acceptor.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>

#include "tests/bench/gss.h"
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
  send_token(fd, "");  // established on this side, too
}

// Credentials are held before the first token, in both cases; one of `ipsec` names the socket and so comes with it.
void serve(int fd, Mechanism mechanism, const Credential& krb5) {
  std::optional<Credential> own;
  if (mechanism == Mechanism::ipsec) own.emplace(mechanism, GSS_C_ACCEPT, Credential::Store{{"ipsec-socket", std::to_string(fd)}});
  Context context(mechanism);
  send_token(fd, "");
  establish(context, own ? *own : krb5, fd, receive_token(fd));
  char none;
  (void)!recv(fd, &none, 1, 0);
}

using Doors = std::array<Door, 2>;

void serve_all(const Doors& doors, const Credential& krb5) {
  std::array<pollfd, std::tuple_size_v<Doors>> polled;
  for (std::size_t at = 0; at < doors.size(); ++at) polled[at] = {doors[at].listener.get(), POLLIN, 0};
  if (poll(polled.data(), polled.size(), -1) < 0) return;
  for (std::size_t at = 0; at < doors.size(); ++at) {
    if (!(polled[at].revents & POLLIN)) continue;
    const base::UniqueFd connection = accept_one(doors[at].listener.get());
    serve(connection.get(), doors[at].mechanism, krb5);
  }
}

}  // namespace

void run_acceptor(const std::string& keytab, int ready) try {
  const Credential krb5(Mechanism::krb5, GSS_C_ACCEPT, {{"keytab", keytab}});
  const Doors doors{Door{Mechanism::krb5, listen_at(kKrb5Port)}, Door{Mechanism::ipsec, listen_at(kIpsecPort)}};
  if (write(ready, "r", 1) != 1) _exit(1);
  for (;;) serve_all(doors, krb5);
} catch (const std::exception& error) {
  std::fprintf(stderr, "acceptor: %s\n", error.what());
  _exit(1);
}

}  // namespace gssipsec::bench
