// SPDX-License-Identifier: MIT
// SUBSCRIBE and UNSUBSCRIBE. A socket's events go to whoever holds it: the descriptor that comes along is the proof.
#include "broker/handlers.h"

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;
using protocol::Scope;
using protocol::SubscribeReply;

base::Status takes_part(Core& core, const Request& request, Scope scope) {
  const Action action = scope == Scope::all ? Action::subscribe_all : Action::subscribe;
  const base::Status allowed = may(core.config()->rights, action, request.caller.uid, request.groups);
  if (!allowed.ok()) return allowed;
  if (scope == Scope::all && request.fd >= 0) return fail(Code::BAD_MESSAGE, "the namespace's events come without a socket");
  return {};
}

base::Status picture_socket(Core& core, const Request& request, Subscription& wanted) {
  const auto seen = examine(core, request);
  if (!seen) return seen.error();
  const auto latch = core.latches.find(seen->socket.cookie, seen->socket.flow);
  wanted.cookie = seen->socket.cookie;
  wanted.flow = seen->socket.flow;
  wanted.around = seen->around;
  wanted.picture = picture_of(seen->assessment, latch ? latch->status.state : protocol::LatchState::none);
  wanted.footing = footing_of(seen->view);
  return {};
}

}  // namespace

base::Result<Answer> handle_subscribe(Core& core, const Request& request) {
  const auto asked = protocol::decode_subscribe_request(request.body);
  if (!asked) return asked.error();
  const base::Status allowed = takes_part(core, request, asked->scope);
  if (!allowed.ok()) return allowed.error();
  Subscription wanted;
  wanted.connection = request.connection;
  wanted.request = request.number;
  wanted.uid = request.caller.uid;
  wanted.types = asked->types;
  wanted.scope = asked->scope;
  wanted.root = request.caller.privileged;
  if (wanted.scope == Scope::socket) {
    const base::Status pictured = picture_socket(core, request, wanted);
    if (!pictured.ok()) return pictured.error();
  }
  const SubscribeReply reply{0, wanted.cookie, wanted.picture.is_protected};
  const auto number = core.subscriptions.add(std::move(wanted), core.config()->subscriptions_per_user);
  if (!number) return number.error();
  return Answer{encode(SubscribeReply{*number, reply.cookie, reply.is_protected})};
}

base::Result<Answer> handle_unsubscribe(Core& core, const Request& request) {
  const auto asked = protocol::decode_unsubscribe_request(request.body);
  if (!asked) return asked.error();
  if (!core.subscriptions.remove(request.connection, asked->subscription))
    return fail(Code::BAD_ARGUMENT, "this connection has no subscription " + std::to_string(asked->subscription));
  return Answer{};
}

}  // namespace gssipsec::broker
