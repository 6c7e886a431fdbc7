// SPDX-License-Identifier: MIT
// Channel bindings of a connected socket: their types, and their octets.
#include "channel/binding.h"
#include "client/broker.h"
#include "client/sockets.h"
#include "ipsecapi/boundary.h"
#include "ipsecapi/facts.h"
#include "ipsecapi/look.h"

namespace gssipsec::api {
namespace {

using base::Code;

int types_of(int fd, char* names, std::size_t* size) {
  const auto report = look_at(fd);
  if (!report) return fail(report.error());
  if (!secured(*report)) return fail(why_not(*report), EACCES);
  if (!report->latchable) return fail(base::fail(Code::NOT_LATCHABLE, report->why_not_latchable));
  return give_octets(base::view_of({channel::kExporterBinding.data(), channel::kExporterBinding.size() + 1}), names, size);
}

int octets_of(int fd, channel::Role role, void* octets, std::size_t* size) {
  const auto socket = client::named_socket(fd);
  if (!socket) return fail(socket.error());
  const auto before = client::endpoints_of(fd);
  if (!before) return fail(before.error());
  auto got = client::Broker::binding(fd, role);
  if (!got) return fail(got.error());
  const auto after = client::endpoints_of(fd);
  if (got->reply.channel.cookie != socket->cookie || !after || *after != *before)
    return fail(base::fail(Code::SOCKET_CHANGED, "the descriptor became another connection meanwhile"));
  if (got->reply.channel.latch != protocol::LatchState::established) return fail(base::fail(Code::NOT_LATCHABLE, got->reply.detail));
  return give_octets(channel::binding_octets(channel::kExporterBinding, got->reply.binding.view()), octets, size);
}

}  // namespace
}  // namespace gssipsec::api

using namespace gssipsec;
using namespace gssipsec::api;

#pragma GCC visibility push(default)

int ipsec_cbinding_types(int fd, char* names, size_t* size) {
  if (!size) return bad_argument("wanted a size");
  return guarded([&] { return types_of(fd, names, size); });
}

int ipsec_cbinding_data(int fd, const char* type, int initiator, void* octets, size_t* size) {
  if (!size || !type) return bad_argument("wanted a type and a size");
  return guarded([&] {
    if (type != channel::kExporterBinding) return fail(base::fail(Code::UNAVAILABLE, "wanted " IPSEC_CB_EXPORTER_NAME));
    return octets_of(fd, initiator ? channel::Role::initiator : channel::Role::acceptor, octets, size);
  });
}

#pragma GCC visibility pop
