// SPDX-License-Identifier: MIT
// HAND_OVER and TAKE_OVER: a context goes to another process, which must hold the same connection. Both ask for a latch that
// holds at this moment; who takes over comes here after CHECK gave him a slot of his own.
#include "broker/handlers.h"

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;

base::Result<std::uint64_t> latched_socket(Core& core, const Request& request, std::uint64_t cookie) {
  if (request.fd < 0) return fail(Code::NO_SOCKET, "wanted one descriptor with this request, found none");
  const auto socket = core.host->read_socket(request.fd);
  if (!socket) return socket.error();
  if (socket->cookie != cookie) return fail(Code::SOCKET_CHANGED, "the descriptor is another socket now");
  const auto latch = core.latches.find(socket->cookie, socket->flow);
  if (!latch || latch->status.state != protocol::LatchState::established)
    return fail(Code::LATCH_BROKEN, "the socket has no latch that holds now");
  return socket->cookie;
}

}  // namespace

base::Result<Answer> handle_hand_over(Core& core, const Request& request) {
  const auto asked = protocol::decode_hand_over_request(request.body);
  if (!asked) return asked.error();
  const auto cookie = latched_socket(core, request, asked->cookie);
  if (!cookie) return cookie.error();
  auto begun = core.transfers.begin(*cookie, request.caller.uid, std::chrono::steady_clock::now());
  if (!begun) return begun.error();
  return Answer{encode(protocol::HandOverReply{begun->id, std::move(begun->key)})};
}

base::Result<Answer> handle_take_over(Core& core, const Request& request) {
  const auto asked = protocol::decode_take_over_request(request.body);
  if (!asked) return asked.error();
  const auto cookie = latched_socket(core, request, asked->cookie);
  if (!cookie) return cookie.error();
  auto key = core.transfers.take(asked->id, *cookie, std::chrono::steady_clock::now());
  if (!key) return key.error();
  return Answer{encode(protocol::TakeOverReply{*std::move(key)})};
}

}  // namespace gssipsec::broker
