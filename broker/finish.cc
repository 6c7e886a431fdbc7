// SPDX-License-Identifier: MIT
// FINISH: the initiator's side believes the acceptor's broker, or not.
#include "broker/access.h"
#include "broker/fault.h"
#include "broker/prepared.h"

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;
using channel::Assertion;
using channel::Role;
using protocol::FinishRequest;

// The exporter that INITIATE used, also when a rekey has just removed its SAs; after a restart, of the SAs still there.
base::Result<SharedExporter> exporter_for(Core& core, Bench& bench, const Case& seen, const channel::FlowLabel& label) {
  const auto now = std::chrono::steady_clock::now();
  if (SharedExporter known = core.exporters.recall(seen.socket.cookie, label, now)) return known;
  const channel::Sa* out = carrier_with_spi(seen.assessment.verdict.out.carriers, label.spi_to_acceptor);
  const channel::Sa* in = carrier_with_spi(seen.assessment.verdict.in.carriers, label.spi_to_initiator);
  if (!out || !in) return fail(Code::SA_GONE, "begin the context again");
  return core.exporters.of(bench, *out, *in, now);
}

base::Result<Assertion> own_assertion(const FinishRequest& asked, const Request& request, const Case& seen, const channel::Exporter& exporter) {
  auto own = channel::open(asked.own_sealed, exporter);
  if (!own) return own;
  if (own->role != Role::initiator) return fail(Code::WRONG_ROLE, "wanted this side's own token");
  const auto label = label_of(seen.socket.flow, Role::initiator, own->flow.mode, own->flow.spi_to_acceptor, own->flow.spi_to_initiator);
  if (own->flow != label) return fail(Code::WRONG_FLOW, "this side's token was made for another socket");
  if (!own->anonymous && own->uid != request.caller.uid) return fail(Code::NOT_ALLOWED, "this side's token was made for another user");
  return own;
}

base::Result<Assertion> peer_assertion(const FinishRequest& asked, const Assertion& own, const channel::Exporter& exporter) {
  auto peer = channel::open(asked.peer_sealed, exporter);
  if (!peer) return peer;
  if (peer->role != Role::acceptor) return fail(Code::WRONG_ROLE, "wanted an acceptor's token");
  if (peer->flow != own.flow) return fail(Code::WRONG_FLOW);
  if (!base::equal_secret(peer->transcript, asked.transcript)) return fail(Code::WRONG_TRANSCRIPT);
  if (!peer->latched || !peer->since_start) return fail(Code::PEER_NOT_LATCHED);
  return peer;
}

base::Status is_wanted(const FinishRequest& asked, const channel::PeerInfo& peer, const channel::Name& actual, const Assertion& said) {
  if (asked.wanted.empty()) return {};
  if (!peer.authenticated()) {
    if (!(asked.want & protocol::kWantMutual)) return {};
    return fail(Code::PEER_UNAUTHENTICATED, "wanted " + asked.wanted + ", but IKE authenticated nobody");
  }
  const auto wanted = parse_wanted(asked.wanted);
  if (!wanted) return wanted.error();
  return satisfies(*wanted, actual, said.services);
}

// A service's process is vouched for by its services; any other by its own name.
channel::Name acceptor_name(const channel::PeerInfo& peer, const Assertion& said) {
  if (peer.authenticated() && !said.services.empty()) return channel::Name{channel::Name::Kind::host, peer.remote, {}, {}, {}};
  return name_of(peer, said);
}

// Both ends, as their brokers vouch for them.
struct Tokens {
  SharedExporter exporter;
  Assertion own, peer;
};

base::Result<Answer> finish_with(Core& core, const Request& request, const FinishRequest& asked, const Case& seen, const Tokens& tokens,
                                 const LatchParameters& latched) {
  const auto& [exporter, own, peer] = tokens;
  const auto match = compare_bindings(asked.bindings, peer.bindings);
  if (!match) return match.error();
  const channel::PeerInfo& end = *seen.assessment.peer;
  const channel::Name actual = acceptor_name(end, peer);
  const base::Status wanted = is_wanted(asked, end, actual, peer);
  if (!wanted.ok()) return wanted.error();
  auto key = session_key(*exporter, own, peer);
  if (!key) return key.error();
  const auto slot = enter(core, request, seen, latched, true);
  if (!slot) return slot.error();
  reached(FaultPoint::finish_entered);
  protocol::FinishReply reply;
  reply.session_key = std::move(*key);
  reply.bindings_match = *match;
  reply.channel = channel_info(core, seen, latched, *slot);
  Caller self = request.caller;
  self.anonymous = own.anonymous;
  reply.channel.local_name = format(name_of(end.local, self));
  reply.channel.peer_name = format(actual);
  reply.channel.peer_services = peer.services;
  reached(FaultPoint::finish_answering);
  return Answer{encode(reply)};
}

base::Result<Tokens> read_tokens(Core& core, Bench& bench, const Request& request, const FinishRequest& asked, const Case& seen) {
  reached(FaultPoint::finish_examined);
  const base::Status fit = fit_for_context(core, seen, asked.want);
  if (!fit.ok()) return fit.error();
  const auto claimed = channel::peek(asked.own_sealed);
  if (!claimed) return claimed.error();
  auto exporter = exporter_for(core, bench, seen, claimed->flow);
  if (!exporter) return exporter.error();
  auto own = own_assertion(asked, request, seen, **exporter);
  if (!own) return own.error();
  auto peer = peer_assertion(asked, *own, **exporter);
  if (!peer) return peer.error();
  reached(FaultPoint::finish_opened);
  return Tokens{std::move(*exporter), std::move(*own), std::move(*peer)};
}

base::Result<Answer> latch_and_finish(Core& core, Bench& bench, const Request& request, const FinishRequest& asked, const kernel::SocketFacts& socket) {
  auto seen = examine(core, request, socket);
  if (!seen) return seen.error();
  const auto tokens = read_tokens(core, bench, request, asked, *seen);
  if (!tokens) return tokens.error();
  auto latch = KernelLatch::set(core, request.fd, *seen);
  if (!latch) return latch.error();
  latch->keep();
  const base::Status status = confirm(core, request, *seen, *latch, {});
  if (!status.ok()) return status.error();
  return finish_with(core, request, asked, *seen, *tokens, latch->parameters());
}

}  // namespace

base::Result<Answer> handle_finish(Core& core, Bench& bench, const Request& request) {
  const auto asked = protocol::decode_finish_request(request.body);
  if (!asked) return asked.error();
  const auto socket = read_descriptor(core, request);
  if (!socket) return socket.error();
  const auto known = core.recent.find(core, *socket, std::chrono::steady_clock::now());
  if (!known) return latch_and_finish(core, bench, request, *asked, *socket);
  const auto tokens = read_tokens(core, bench, request, *asked, known->seen);
  if (!tokens) return tokens.error();
  return finish_with(core, request, *asked, known->seen, *tokens, known->latched);
}

}  // namespace gssipsec::broker
