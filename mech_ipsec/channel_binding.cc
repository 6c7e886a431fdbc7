// SPDX-License-Identifier: MIT
#include "mech_ipsec/channel_binding.h"

#include <algorithm>

#include "base/trace.h"

namespace gssipsec::mech {
namespace {

using base::Code;
using base::fail;
using protocol::KerberosUse;

void trace(const protocol::BindReply& reply) {
  if (!base::tracing()) return;
  const char* what = reply.use == KerberosUse::skip ? "messages may rest on the channel" : "bound only";
  base::trace("kerberos", std::string(what) + (reply.why == Code::ok ? "" : ": " + base::describe({reply.why, reply.detail})));
}

}  // namespace

base::Result<ChannelBinding> bind_channel(channel::Role role, const client::FoundSocket& socket) {
  const auto before = client::endpoints_of(socket.fd);
  if (!before) return before.error();
  auto got = client::Broker::bind(socket.fd, socket.found, role);
  if (!got) return got.error();
  protocol::BindReply& reply = got->reply;
  if (reply.use == KerberosUse::off) return fail(Code::UNAVAILABLE, "no [[program]] line of the broker's configuration wants it for this program");
  if (reply.channel.cookie != socket.cookie) return fail(Code::SOCKET_CHANGED, "the broker was given another connection");
  const auto after = client::endpoints_of(socket.fd);
  if (!after || *after != *before) return fail(Code::SOCKET_CHANGED, "it was connected elsewhere meanwhile");
  trace(reply);
  ChannelBinding binding;
  binding.socket = socket;
  binding.may_skip = reply.use == KerberosUse::skip;
  std::ranges::copy(reply.binding.view(), binding.value.begin());
  binding.channel = std::move(reply.channel);
  binding.latch = WatchedLatch(socket, std::move(got->latch));
  return binding;
}

}  // namespace gssipsec::mech
