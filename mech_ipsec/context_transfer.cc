// SPDX-License-Identifier: MIT
// A context leaves one process and arrives in another that holds the same connection. What the token carries is encrypted
// under a key that the broker gives out once, against the socket itself: a token without the connection opens nothing, and
// of two importers one is told so. The broker confirms the latch anew for the importer, on a page of his own.
#include "base/trace.h"
#include "mech_ipsec/context.h"

namespace gssipsec::mech {
namespace {

using base::Code;
using base::fail;
using base::Result;
using base::Status;

}  // namespace

// Nothing is taken from the context before the key is there. Then its numbers are closed, also for a process that was
// forked from this one and has the context too.
Result<base::Bytes> Context::leave() {
  const Locked lock(mutex_);
  if (const Status can = usable(); !can) return can.error();
  if (const Status same = client::same_socket(terms_.socket); !same) return same.error();
  const auto over = client::Broker::hand_over(terms_.socket.fd, terms_.socket.cookie);
  if (!over) return over.error();
  ContextState state{role_, bound_, initiator_asked_mutual_, terms_.want, expires_, seal_, channel_, protection_->leave()};
  state.channel.statement = latch_.statement();
  auto token = seal_exported(over->id, terms_.socket.cookie, over->key.view(), state);
  state_ = State::failed;
  protection_.reset();
  client::Broker::release(latch_);
  if (base::tracing()) base::trace("context", "exported");
  return token;
}

Result<Context::Arrival> Context::arrive(base::View token) {
  const auto exported = decode_exported(token);
  if (!exported) return exported.error();
  auto socket = client::socket_with(exported->cookie);
  if (!socket) return socket.error();
  client::LatchWord latch;
  if (const Status holds = client::Broker::check(socket->fd, socket->cookie, latch); !holds) return holds.error();
  const auto over = client::Broker::take_over(socket->fd, {socket->cookie, exported->id});
  if (!over) return over.error();
  auto state = open_exported(*exported, over->key.view());
  if (!state) return state.error();
  if (state->channel.cookie != socket->cookie) return fail(Code::WRONG_FLOW, "the exported context belongs to another connection");
  auto names = Names::of(state->channel, *socket);
  if (!names) return names.error();
  latch.state_as(std::move(state->channel.statement));
  const Direction sends = state->role == channel::Role::initiator ? Direction::from_initiator : Direction::from_acceptor;
  auto protection = Protection::resume(state->progress, sends);
  if (!protection) return protection.error();
  if (base::tracing()) base::trace("context", "imported on descriptor " + std::to_string(socket->fd));
  return Arrival{*std::move(state), *socket, std::move(latch), *std::move(names), *std::move(protection)};
}

Context::Context(Arrival arrival)
    : role_(arrival.state.role), state_(State::established), terms_{arrival.socket, arrival.state.want, {}, {}, {}},
      channel_(std::move(arrival.state.channel)), names_(std::move(arrival.names)), bound_(arrival.state.bound),
      initiator_asked_mutual_(arrival.state.initiator_asked_mutual), seal_(arrival.state.seal), expires_(arrival.state.expires),
      latch_(std::move(arrival.latch)), protection_(std::move(arrival.protection)) {}

Status Context::move_to(int fd) {
  const Locked lock(mutex_);
  const auto socket = client::named_socket(fd);
  if (!socket) return socket.error();
  if (socket->cookie != terms_.socket.cookie)
    return fail(Code::SOCKET_CHANGED, "descriptor " + std::to_string(fd) + " is another connection than the context's");
  terms_.socket.fd = fd;
  return {};
}

}  // namespace gssipsec::mech
