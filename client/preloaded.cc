// SPDX-License-Identifier: MIT
#include "client/preloaded.h"

#include <dlfcn.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "client/connect.h"

namespace gssipsec::client {
namespace {

using base::Code;

// Descriptors of one socket are one candidate; more than this are several sockets anyway.
constexpr int kRoom = 16;

base::Error not_told(std::string found) { return base::fail(Code::NO_SOCKET, std::move(found) + "; name the socket"); }

bool is_usable(const preload::Socket& socket, bool acceptor) noexcept {
  if (!may_be_found(socket.fd, acceptor) || is_mptcp(socket.fd)) return false;
  const auto cookie = socket_cookie(socket.fd);
  return cookie && *cookie == socket.cookie;
}

base::Result<FoundSocket> of_thread(const preload::Interface& shown, bool acceptor) {
  preload::Socket socket{-1, 0};
  if (shown.last_touched(&socket) != 1) return not_told("this thread has touched no connection");
  if (!is_usable(socket, acceptor)) return not_told("the connection that this thread touched last, descriptor " + std::to_string(socket.fd) + ", cannot be used");
  return FoundSocket{socket.fd, socket.cookie, protocol::Found::preload};
}

base::Result<FoundSocket> only_one(std::span<const preload::Socket> sockets, bool acceptor) {
  FoundSocket found;
  for (const preload::Socket& socket : sockets) {
    if (!is_usable(socket, acceptor)) continue;
    if (found.fd >= 0 && found.cookie != socket.cookie) return not_told("the token was received on several connections");
    if (found.fd < 0) found = {socket.fd, socket.cookie, protocol::Found::preload};
  }
  if (found.fd < 0) return not_told("the token was received on a connection that cannot be used");
  return found;
}

}  // namespace

const preload::Interface* understood(const void* symbol) noexcept {
  const auto* shown = static_cast<const preload::Interface*>(symbol);
  const bool ours = shown && shown->version == preload::kVersion && shown->size >= sizeof(preload::Interface);
  return ours && shown->last_touched && shown->received_on && shown->forget && shown->overlook ? shown : nullptr;
}

const preload::Interface* find_preload() noexcept { return understood(dlsym(RTLD_DEFAULT, preload::kSymbol)); }

Overlooked::Overlooked(const preload::Interface* shown) noexcept : shown_(shown) {
  if (shown_) shown_->overlook(1);
}

Overlooked::~Overlooked() {
  if (shown_) shown_->overlook(0);
}

bool thread_is_believed() noexcept {
  const char* value = secure_getenv("GSS_IPSEC_PRELOAD");
  return value && std::string_view(value) == "thread";
}

base::Result<FoundSocket> preloaded_socket(const preload::Interface& shown, bool acceptor, base::View token, bool believe_thread) {
  if (!acceptor) return of_thread(shown, false);
  std::array<preload::Socket, kRoom> sockets;
  sockets.fill({-1, 0});
  const int count = shown.received_on(token.data(), token.size(), sockets.data(), kRoom);
  if (count > kRoom) return not_told("the token was received on several connections");
  if (count > 0) return only_one(std::span(sockets).first(static_cast<std::size_t>(count)), true);
  if (believe_thread) return of_thread(shown, true);
  return not_told("the token was seen on no connection (TLS, HTTP/2?)");
}

void socket_bound(const FoundSocket& socket) noexcept {
  const preload::Interface* shown = find_preload();
  const preload::Socket bound{socket.fd, socket.cookie};
  if (shown) shown->forget(&bound);
}

}  // namespace gssipsec::client
