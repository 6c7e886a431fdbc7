// SPDX-License-Identifier: MIT
// A context leaves one process and arrives in another that holds the same connection. What the token carries is encrypted
// under a key that the broker gives out once, against the socket itself: a token without the connection opens nothing, and
// of two importers one is told so. The broker latches for the importer, with a slot on a page of his own.
#include "base/trace.h"
#include "mech_ipsec/context.h"
#include "mech_ipsec/exported.h"

namespace gssipsec::mech {

using base::Code;
using base::fail;
using base::Result;
using base::Status;

// Nothing is taken from the context before the key is there. Then its numbers are closed, also for a process that was
// forked from this one and has the context too.
Result<base::Bytes> Context::leave() {
  const Locked lock(mutex_);
  if (const Status can = usable(); !can) return can.error();
  const auto over = client::Broker::hand_over(terms_.socket.fd, terms_.socket.cookie);
  if (!over) return over.error();
  protocol::ContextState state;
  state.role = role_;
  state.bound = bound_;
  state.initiator_asked_mutual = initiator_asked_mutual_;
  state.expires = static_cast<std::uint64_t>(expires_);
  state.local_name = channel_.local_name;
  state.peer_name = channel::format(peer_->peer);
  state.peer_services = channel_.peer_services;
  protection_->leave(state);
  if (base::tracing()) base::trace("context", "exported");
  return seal_exported(over->id, terms_.socket.cookie, over->key.view(), state);
}

Status Context::arrive(base::View token) {
  const Locked lock(mutex_);
  const auto exported = decode_exported(token);
  if (!exported) return exported.error();
  const auto socket = client::socket_with(exported->cookie);
  if (!socket) return socket.error();
  auto over = client::Broker::take_over(socket->fd, {socket->cookie, exported->id});
  if (!over) return over.error();
  auto state = open_exported(*exported, over->reply.key.view());
  if (!state) return state.error();
  if (const Status heard = heed(over->program); !heard) return heard;
  terms_.socket = *socket;
  channel_ = std::move(over->reply.channel);
  latch_ = WatchedLatch(*socket, std::move(over->latch));
  return resume(*std::move(state));
}

Status Context::resume(protocol::ContextState state) {
  if (channel_.cookie != terms_.socket.cookie) return fail(Code::SOCKET_CHANGED, "the broker was given another connection");
  auto protection = Protection::resume(state);
  if (!protection) return protection.error();
  protection_.emplace(*std::move(protection));
  role_ = state.role;
  bound_ = state.bound;
  initiator_asked_mutual_ = state.initiator_asked_mutual;
  expires_ = static_cast<std::int64_t>(state.expires);
  channel_.local_name = std::move(state.local_name);
  channel_.peer_name = std::move(state.peer_name);
  channel_.peer_services = std::move(state.peer_services);
  if (const Status fits = take_names(); !fits) return fits;
  if (const Status strong = strong_enough(); !strong) return strong;
  peer_->facts = std::make_shared<const PeerFacts>(PeerFacts{channel_, terms_.socket, {}});
  state_ = State::established;
  if (base::tracing()) base::trace("context", "imported on descriptor " + std::to_string(terms_.socket.fd));
  return {};
}

}  // namespace gssipsec::mech
