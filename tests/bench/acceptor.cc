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
  const Credential* held;  // none: one of each connection's own
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
void serve(int fd, const Door& door) {
  std::optional<Credential> own;
  if (!door.held) own.emplace(door.mechanism, GSS_C_ACCEPT, Credential::Store{{"ipsec-socket", std::to_string(fd)}});
  Context context(door.mechanism);
  send_token(fd, "");
  establish(context, own ? *own : *door.held, fd, receive_token(fd));
  char asked;
  if (recv(fd, &asked, 1, 0) != 1) return;
  Buffer token;
  context.wrap("a message", 0, token);
  send_token(fd, {static_cast<const char*>(token.value), token.length});
  (void)!recv(fd, &asked, 1, 0);
}

using Doors = std::array<Door, 3>;

void serve_all(const Doors& doors) {
  std::array<pollfd, std::tuple_size_v<Doors>> polled;
  for (std::size_t at = 0; at < doors.size(); ++at) polled[at] = {doors[at].listener.get(), POLLIN, 0};
  if (poll(polled.data(), polled.size(), -1) < 0) return;
  for (std::size_t at = 0; at < doors.size(); ++at) {
    if (!(polled[at].revents & POLLIN)) continue;
    const base::UniqueFd connection = accept_one(doors[at].listener.get());
    serve(connection.get(), doors[at]);
  }
}

}  // namespace

void run_acceptor(const std::string& keytab, int ready) try {
  const Credential krb5(Mechanism::krb5, GSS_C_ACCEPT, {{"keytab", keytab}}), interposed(Mechanism::interposed, GSS_C_ACCEPT, {{"keytab", keytab}});
  const Doors doors{Door{Mechanism::krb5, listen_at(kKrb5Port), &krb5}, Door{Mechanism::ipsec, listen_at(kIpsecPort), nullptr},
                    Door{Mechanism::interposed, listen_at(kInterposedPort), &interposed}};
  if (write(ready, "r", 1) != 1) _exit(1);
  for (;;) serve_all(doors);
} catch (const std::exception& error) {
  std::fprintf(stderr, "acceptor: %s\n", error.what());
  _exit(1);
}

}  // namespace gssipsec::bench
