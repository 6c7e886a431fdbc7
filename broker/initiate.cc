// SPDX-License-Identifier: MIT
// INITIATE: latch the socket and vouch for the caller to the other end's broker.
#include "broker/access.h"
#include "broker/bind.h"
#include "broker/fault.h"
#include "broker/pair.h"
#include "channel/handshake.h"

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;
using channel::Name;
using channel::Role;
using protocol::InitiateRequest;

// What can be told before the other end answers: the host. Its process and services come with REPLY.
base::Status host_is_wanted(const InitiateRequest& asked, const channel::PeerInfo& peer) {
  if (asked.wanted.empty()) return {};
  const auto wanted = channel::parse_wanted(asked.wanted);
  if (!wanted) return wanted.error();
  if (!peer.authenticated()) {
    if (!(asked.want & protocol::kWantMutual)) return {};
    return fail(Code::PEER_UNAUTHENTICATED, "wanted " + asked.wanted + ", but IKE authenticated nobody");
  }
  Name actual;
  actual.kind = wanted->kind == Name::Kind::user ? Name::Kind::user : Name::Kind::host;
  actual.identity = peer.remote;
  actual.user = wanted->user;
  return satisfies(*wanted, actual, {wanted->service});
}

base::Result<protocol::InitiateReply> seal_for(Core& core, const Request& request, const InitiateRequest& asked, const Case& seen,
                                               const Pair& pair, const LatchParameters& latched, const Slot& slot) {
  const bool foreign = seen.socket.owner_uid != request.caller.uid;
  channel::Assertion assertion = vouch(request, seen, Role::initiator, foreign || (asked.want & protocol::kWantAnonymous));
  assertion.flow = label_of(seen.socket.flow, Role::initiator, seen.assessment.verdict.mode, pair.out.id.spi, pair.in.id.spi);
  assertion.wanted = asked.wanted;
  assertion.wants_mutual = asked.want & protocol::kWantMutual;
  assertion.bindings = asked.bindings;
  assertion.transcript = asked.transcript;
  auto sealed = channel::seal(assertion, *pair.exporter);
  if (!sealed) return sealed.error();
  auto key = channel::handshake_key(*pair.exporter, assertion);
  if (!key) return key.error();
  protocol::InitiateReply reply{std::move(*sealed), channel_info(core, seen, latched, slot), std::move(*key)};
  const channel::PeerInfo& peer = *seen.assessment.peer;
  Caller self = request.caller;
  self.anonymous = assertion.anonymous;
  reply.channel.local_name = format(name_of(peer.local, self));
  Name host;
  if (peer.authenticated()) host = Name{Name::Kind::host, peer.remote, {}, {}, {}};
  reply.channel.peer_name = format(host);
  return reply;
}

base::Result<Answer> initiate_once(Core& core, Bench& bench, const Request& request, const InitiateRequest& asked) {
  auto seen = examine(core, request);
  if (!seen) return seen.error();
  reached(FaultPoint::initiate_examined);
  base::Status status = fits_role(core, request, *seen, asked.found, Role::initiator);
  if (status.ok()) status = fit_for_context(core, *seen, asked.want);
  if (status.ok()) status = host_is_wanted(asked, *seen->assessment.peer);
  if (!status.ok()) return status.error();
  auto latch = KernelLatch::set(core, request, *seen);
  if (!latch) return latch.error();
  reached(FaultPoint::initiate_latched);
  const auto pair = choose_pair(core, bench, *seen, Role::initiator);
  if (!pair) return pair.error();
  status = confirm(core, request, *seen, latch->parameters(), {pair->out, pair->in});
  if (!status.ok()) return status.error();
  reached(FaultPoint::initiate_confirmed);
  const auto slot = enter(core, request, *seen, latch->parameters(), true);
  if (!slot) return slot.error();
  reached(FaultPoint::initiate_entered);
  latch->keep();
  const auto reply = seal_for(core, request, asked, *seen, *pair, latch->parameters(), *slot);
  if (!reply) {
    core.latches.release(request.page, *slot);
    return reply.error();
  }
  reached(FaultPoint::initiate_sealed);
  return Answer{encode(*reply)};
}

}  // namespace

// A rekey in mid-request takes the SAs away: once more on the new ones.
base::Result<Answer> handle_initiate(Core& core, Bench& bench, const Request& request) {
  const auto asked = protocol::decode_initiate_request(request.body);
  if (!asked) return asked.error();
  auto answer = initiate_once(core, bench, request, *asked);
  for (int again = 0; again < 2 && !answer && answer.error().code == Code::SA_GONE; ++again)
    answer = initiate_once(core, bench, request, *asked);
  return answer;
}

}  // namespace gssipsec::broker
