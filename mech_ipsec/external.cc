// SPDX-License-Identifier: MIT
#include "mech_ipsec/external.h"

#include "client/broker.h"
#include "client/sockets.h"

namespace gssipsec::mech {
namespace {

using base::Code;
using base::fail;
using base::Result;
using client::Broker;
using protocol::LatchState;

}  // namespace

Result<External> judge_external(const protocol::LatchReply& latch, const protocol::Report& report) {
  if (latch.channel.latch != LatchState::established) return fail(latch.why == Code::ok ? Code::NOT_LATCHABLE : latch.why, latch.detail);
  if (!report.is_protected) return fail(report.why == Code::ok ? Code::UNKNOWN : report.why, report.detail);
  if (report.latch != LatchState::established) return fail(Code::LATCH_BROKEN, "it broke at once");
  if (!report.peer_authenticated || report.peer_id.empty()) return fail(Code::PEER_UNAUTHENTICATED, "found " + report.peer_method);
  if (!report.since_start) return fail(Code::STARTED_IN_CLEAR, format(report.flow));
  if (!latch.channel.integrity) return fail(Code::WEAK, "the channel gives no integrity");
  return External{latch.channel.confidentiality ? latch.channel.key_bits : 1u, report.peer_id};
}

Result<External> external_of(int fd) {
  const auto socket = client::named_socket(fd);
  if (!socket) return socket.error();
  auto latched = Broker::latch(fd, {});
  if (!latched) return latched.error();
  const auto report = Broker::query(fd, {protocol::Found::named});
  Broker::release(latched->latch);
  if (!report) return report.error();
  const base::Status same = client::same_socket(*socket);
  if (!same || latched->reply.channel.cookie != socket->cookie) return fail(Code::SOCKET_CHANGED, "descriptor " + std::to_string(fd));
  return judge_external(latched->reply, *report);
}

}  // namespace gssipsec::mech
