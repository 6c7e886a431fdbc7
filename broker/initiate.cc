// SPDX-License-Identifier: MIT
// INITIATE: latch the socket and vouch for the caller to the other end's broker.
#include "broker/access.h"
#include "broker/fault.h"
#include "broker/prepared.h"

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;
using channel::Name;
using channel::Role;
using protocol::InitiateRequest;

// What can be told before the other end answers: the host. Its process and services come with FINISH.
base::Status host_is_wanted(const InitiateRequest& asked, const channel::PeerInfo& peer) {
  if (asked.wanted.empty()) return {};
  const auto wanted = parse_wanted(asked.wanted);
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

struct Pair {
  channel::Sa out, in;
  SharedExporter exporter;
};

// After a rekey each host keeps old SAs for as long as it likes, so the smallest tag over all of them would name one that
// the peer has no more. Those that the IKE daemon is about to delete are for packets on their way.
std::vector<channel::Sa> staying(const View& view, const std::vector<channel::Sa>& carriers) {
  std::vector<channel::Sa> out;
  for (const channel::Sa& sa : carriers) {
    const auto peer = view.peer_of(sa.id);
    if (!peer || !peer->leaving) out.push_back(sa);
  }
  return out.empty() ? carriers : out;
}

base::Result<Pair> choose_pair(Core& core, Bench& bench, const Case& seen) {
  const auto out = core.exporters.choose(bench, staying(seen.view, seen.assessment.verdict.out.carriers));
  if (!out) return out.error();
  const auto in = core.exporters.choose(bench, staying(seen.view, seen.assessment.verdict.in.carriers));
  if (!in) return in.error();
  auto exporter = core.exporters.of(bench, *out, *in, std::chrono::steady_clock::now());
  if (!exporter) return exporter.error();
  return Pair{*out, *in, std::move(*exporter)};
}

base::Result<protocol::InitiateReply> seal_for(Core& core, const Request& request, const InitiateRequest& asked, const Prepared& ready) {
  const Case& seen = ready.seen;
  const bool foreign = seen.socket.owner_uid != request.caller.uid;
  channel::Assertion assertion = vouch(core, request, seen, Role::initiator, foreign || (asked.want & protocol::kWantAnonymous));
  assertion.flow = label_of(seen.socket.flow, Role::initiator, seen.assessment.verdict.mode, ready.out.id.spi, ready.in.id.spi);
  assertion.challenge = asked.challenge;
  assertion.wanted = asked.wanted;
  assertion.wants_mutual = asked.want & protocol::kWantMutual;
  assertion.bindings = asked.bindings;
  assertion.transcript = asked.transcript;
  auto sealed = channel::seal(assertion, *ready.exporter);
  if (!sealed) return sealed.error();
  core.exporters.remember(seen.socket.cookie, assertion.flow, ready.exporter, std::chrono::steady_clock::now());
  protocol::InitiateReply reply{std::move(*sealed), channel_info(core, seen)};
  const channel::PeerInfo& peer = *seen.assessment.peer;
  Caller self = request.caller;
  self.anonymous = assertion.anonymous;
  reply.channel.local_name = format(name_of(peer.local, self));
  Name host;
  if (peer.authenticated()) host = Name{Name::Kind::host, peer.remote, {}, {}, {}};
  reply.channel.peer_name = format(host);
  return reply;
}

base::Status may_initiate(Core& core, const Request& request, const InitiateRequest& asked, const Case& seen) {
  base::Status status = fits_role(core, request, seen, asked.found, Role::initiator);
  if (status.ok()) status = fit_for_context(core, seen, asked.want);
  if (status.ok()) status = host_is_wanted(asked, *seen.assessment.peer);
  return status;
}

base::Result<SharedPrepared> prepare(Core& core, Bench& bench, const Request& request, const InitiateRequest& asked, const kernel::SocketFacts& socket) {
  auto seen = examine(core, request, socket);
  if (!seen) return seen.error();
  reached(FaultPoint::initiate_examined);
  base::Status status = may_initiate(core, request, asked, *seen);
  if (!status.ok()) return status.error();
  auto latch = KernelLatch::set(core, request.fd, *seen);
  if (!latch) return latch.error();
  reached(FaultPoint::initiate_latched);
  auto pair = choose_pair(core, bench, *seen);
  if (!pair) return pair.error();
  status = confirm(core, request, *seen, *latch, {pair->out, pair->in});
  if (!status.ok()) return status.error();
  reached(FaultPoint::initiate_confirmed);
  enter_handshake(core, request, *seen, latch->parameters());
  reached(FaultPoint::initiate_entered);
  latch->keep();
  auto ready = std::make_shared<const Prepared>(
      Prepared{*std::move(seen), latch->parameters(), std::move(pair->out), std::move(pair->in), std::move(pair->exporter)});
  core.recent.keep(socket.cookie, ready, std::chrono::steady_clock::now());
  return SharedPrepared(std::move(ready));
}

// With the challenge it is the same connection as a moment before: what is asked for is judged anew, the rest is known.
base::Result<SharedPrepared> prepared_for(Core& core, Bench& bench, const Request& request, const InitiateRequest& asked) {
  const auto socket = read_descriptor(core, request);
  if (!socket) return socket.error();
  auto known = core.recent.find(core, *socket, std::chrono::steady_clock::now());
  if (!known) return prepare(core, bench, request, asked, *socket);
  const base::Status still = may_initiate(core, request, asked, known->seen);
  if (!still.ok()) return still.error();
  return known;
}

base::Result<Answer> initiate_once(Core& core, Bench& bench, const Request& request, const InitiateRequest& asked) {
  const auto ready = prepared_for(core, bench, request, asked);
  if (!ready) return ready.error();
  const auto reply = seal_for(core, request, asked, **ready);
  if (!reply) return reply.error();
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
