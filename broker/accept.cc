// SPDX-License-Identifier: MIT
// ACCEPT: believe the initiator's broker, or not; latch; answer in the caller's name.
#include <algorithm>

#include "broker/access.h"
#include "broker/bind.h"
#include "broker/fault.h"
#include "channel/handshake.h"

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;
using channel::Assertion;
using channel::Name;
using channel::Role;
using protocol::AcceptRequest;

// The SAs that the token names, of those that may carry this very socket's packets.
struct Named {
  const channel::Sa *to_acceptor = nullptr, *to_initiator = nullptr;
  [[nodiscard]] bool both() const noexcept { return to_acceptor && to_initiator; }
};

Named named_by(const channel::FlowLabel& label, const Case& seen) {
  return {carrier_with_spi(seen.assessment.verdict.in.carriers, label.spi_to_acceptor),
          carrier_with_spi(seen.assessment.verdict.out.carriers, label.spi_to_initiator)};
}

base::Result<Answer> retry() {
  protocol::AcceptReply reply;
  reply.retry = true;
  return Answer{encode(reply)};
}

base::Status belongs_here(const Assertion& assertion, const Case& seen) {
  const auto own = label_of(seen.socket.flow, Role::acceptor, seen.assessment.verdict.mode, assertion.flow.spi_to_initiator,
                            assertion.flow.spi_to_acceptor);
  if (own == assertion.flow) return {};
  return fail(Code::WRONG_FLOW, "the token names ports " + std::to_string(assertion.flow.initiator_port) + " to " +
                                    std::to_string(assertion.flow.acceptor_port) + ", the socket has " +
                                    std::to_string(own.initiator_port) + " to " + std::to_string(own.acceptor_port));
}

// That it was made now only CONFIRM tells: a HELLO that is sent again is answered, and leads to no context.
base::Status token_holds(const Assertion& assertion, const AcceptRequest& asked) {
  if (assertion.role != Role::initiator) return fail(Code::WRONG_ROLE, "wanted an initiator's token");
  if (!base::equal_secret(assertion.transcript, asked.transcript)) return fail(Code::WRONG_TRANSCRIPT);
  if (!assertion.latched || !assertion.since_start) return fail(Code::PEER_NOT_LATCHED);
  return {};
}

base::Result<Name> initiator_name(const Assertion& assertion, const Case& seen, std::uint32_t want) {
  const Name name = name_of(*seen.assessment.peer, assertion);
  if (name.kind == Name::Kind::anonymous && !(want & protocol::kAllowAnonymous))
    return fail(Code::ANONYMOUS_REFUSED, "the initiator's broker does not name its user");
  return name;
}

base::Result<std::vector<std::string>> services_for(Core& core, const Request& request, const AcceptRequest& asked,
                                                    const Assertion& assertion, const Case& seen) {
  std::string wanted;
  if (!assertion.wanted.empty()) {
    const auto name = channel::parse_wanted(assertion.wanted);
    if (!name) return name.error();
    if (name->kind == Name::Kind::service) wanted = name->service;
  }
  auto granted = granted_services(*core.config(), request.caller, seen.socket.flow.local_port, {wanted, asked.service});
  const base::Status allowed = service_allowed(granted, asked.service, wanted);
  if (!allowed.ok()) return allowed.error();
  return granted;
}

struct Verified {
  Assertion assertion;
  Name name;
  std::vector<std::string> services;
  bool bindings_match = false;
};

base::Result<Verified> verify(Core& core, const Request& request, const AcceptRequest& asked, const Case& seen, const Assertion& assertion) {
  const base::Status holds = token_holds(assertion, asked);
  if (!holds.ok()) return holds.error();
  auto name = initiator_name(assertion, seen, asked.want);
  if (!name) return name.error();
  auto services = services_for(core, request, asked, assertion, seen);
  if (!services) return services.error();
  const auto match = asked.has_bindings ? channel::compare_bindings(asked.bindings, assertion.bindings) : base::Result<bool>(false);
  if (!match) return match.error();
  return Verified{assertion, std::move(*name), std::move(*services), *match};
}

base::Result<Answer> answer_for(Core& core, const Request& request, const AcceptRequest& asked, const Case& seen, const Verified& verified,
                                const channel::Exporter& exporter, const LatchParameters& latched, const Slot& slot) {
  Assertion own = vouch(request, seen, Role::acceptor, false);
  own.flow = verified.assertion.flow;
  own.services = verified.services;
  own.wanted = verified.assertion.wanted;
  own.wants_mutual = verified.assertion.wants_mutual;
  if (asked.has_bindings) own.bindings = asked.bindings;
  own.transcript = asked.next_transcript;
  const auto handshake = channel::handshake_key(exporter, verified.assertion);
  if (!handshake) return handshake.error();
  auto sealed = channel::seal_reply(own, handshake->view());
  if (!sealed) return sealed.error();
  auto key = channel::session_key(handshake->view(), own);
  if (!key) return key.error();
  protocol::AcceptReply reply;
  reply.sealed = std::move(*sealed);
  reply.session_key = std::move(*key);
  if (verified.assertion.wants_mutual) reply.initiator_wants |= protocol::kWantMutual;
  reply.bindings_match = verified.bindings_match;
  reply.channel = channel_info(core, seen, latched, slot);
  reply.channel.local_name = format(name_of(seen.assessment.peer->local, request.caller));
  reply.channel.peer_name = format(verified.name);
  return Answer{encode(reply)};
}

base::Result<Answer> latch_and_answer(Core& core, const Request& request, const AcceptRequest& asked, Case& seen, const Verified& verified,
                                      const channel::Exporter& exporter, const std::vector<channel::Sa>& used) {
  reached(FaultPoint::accept_verified);
  auto latch = KernelLatch::set(core, request, seen);
  if (!latch) return latch.error();
  reached(FaultPoint::accept_latched);
  const base::Status status = confirm(core, request, seen, latch->parameters(), used);
  if (!status.ok()) return status.error();
  const auto slot = enter(core, request, seen, latch->parameters(), true);
  if (!slot) return slot.error();
  reached(FaultPoint::accept_entered);
  latch->keep();
  auto answer = answer_for(core, request, asked, seen, verified, exporter, latch->parameters(), *slot);
  reached(FaultPoint::accept_sealed);
  if (!answer) core.latches.release(request.page, *slot);
  return answer;
}

}  // namespace

base::Result<Answer> handle_accept(Core& core, Bench& bench, const Request& request) {
  const auto asked = protocol::decode_accept_request(request.body);
  if (!asked) return asked.error();
  const auto claimed = channel::peek(asked->sealed);
  if (!claimed) return claimed.error();
  auto seen = examine(core, request);
  if (!seen) return seen.error();
  reached(FaultPoint::accept_examined);
  base::Status status = fits_role(core, request, *seen, asked->found, Role::acceptor);
  if (status.ok()) status = fit_for_context(core, *seen, asked->want);
  if (!status.ok()) return status.error();
  const Named sas = named_by(claimed->flow, *seen);
  if (!sas.both()) return retry();
  status = belongs_here(*claimed, *seen);
  if (!status.ok()) return status.error();
  const std::vector<channel::Sa> used{*sas.to_acceptor, *sas.to_initiator};
  const auto exporter = core.exporters.of(bench, used[0], used[1], now());
  if (!exporter && exporter.error().code == Code::SA_GONE) return retry();
  if (!exporter) return exporter.error();
  const auto assertion = channel::open(asked->sealed, **exporter);
  if (!assertion) return assertion.error();
  const auto verified = verify(core, request, *asked, *seen, *assertion);
  if (!verified) return verified.error();
  auto answer = latch_and_answer(core, request, *asked, *seen, *verified, **exporter, used);
  if (!answer && answer.error().code == Code::SA_GONE) return retry();
  return answer;
}

}  // namespace gssipsec::broker
