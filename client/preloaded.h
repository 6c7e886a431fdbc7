// SPDX-License-Identifier: MIT
// What libgss-ipsec-preload.so says about the sockets of this process, where it is loaded. Its word is a hint: descriptor, cookie,
// kind, owner and addresses are looked at as if it were a stranger's. Threads: any. Failures: NO_SOCKET.
#pragma once

#include "base/result.h"
#include "client/sockets.h"
#include "preload/interface.h"

namespace gssipsec::client {

// Null: not loaded, or not one that this plugin understands.
[[nodiscard]] const preload::Interface* find_preload() noexcept;
// While it lives, what this thread does with sockets is not taken for the program's doing: a search looks at all of them.
class Overlooked {
 public:
  explicit Overlooked(const preload::Interface* shown) noexcept;
  ~Overlooked();
  Overlooked(const Overlooked&) = delete;
  Overlooked& operator=(const Overlooked&) = delete;

 private:
  const preload::Interface* shown_;
};
// Of anything that has the symbol's name; null when it is not of our version.
[[nodiscard]] const preload::Interface* understood(const void* symbol) noexcept;

// GSS_IPSEC_PRELOAD=thread in the environment: who started the program says that an acceptor's thread serves the socket that it
// touched last, although the token was not seen (TLS, HTTP/2). Never in an AT_SECURE process.
[[nodiscard]] bool thread_is_believed() noexcept;

// Initiator: the socket that the thread touched last. Acceptor: the one on which `token` was received; where it was received on
// none, the thread's if that is believed.
[[nodiscard]] base::Result<FoundSocket> preloaded_socket(const preload::Interface& shown, bool acceptor, base::View token, bool believe_thread);

// An acceptor has taken a token from this socket: what was received before is of no more use.
void socket_bound(const FoundSocket& socket) noexcept;

}  // namespace gssipsec::client
