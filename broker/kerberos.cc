// SPDX-License-Identifier: MIT
// BIND: what a Kerberos context is bound to the SAs under its socket by, and whether its messages may rest on them. Whom the
// peer is, Kerberos says: IKE may have authenticated nobody. May rest: only on a latch that stays with whom Kerberos found.
// BINDING: the same value for whoever holds the socket, so that either end may leave the asking to its Kerberos.
#include "broker/bind.h"
#include "broker/pair.h"

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;
using channel::Role;
using protocol::BindReply;
using protocol::BindRequest;
using protocol::ChannelInfo;
using protocol::KerberosUse;

// A label of the broker's own: what clients ask for begins with "app:".
constexpr std::string_view kLabel = "kerberos binding v1";
constexpr std::size_t kBindingSize = 32;

base::Status may_skip(const ProgramRule& rule, const ChannelInfo& channel, bool since_start) {
  if (!since_start) return fail(Code::STARTED_IN_CLEAR);
  if (!channel.breaks_shut)
    return fail(Code::NOT_LATCHABLE, "the kernel cannot close a connection that another peer takes over; it needs SOCK_DESTROY");
  if (!channel.integrity || !channel.replay_protection) return fail(Code::WEAK, "wanted integrity and replay protection");
  if (channel.key_bits >= rule.min_key_bits) return {};
  return fail(Code::WEAK, "wanted " + std::to_string(rule.min_key_bits) + " bits for this program, found " + std::to_string(channel.key_bits));
}

base::Result<base::Secret> binding_of(const Case& seen, const Pair& pair, Role role) {
  const auto flow = label_of(seen.socket.flow, role, seen.assessment.verdict.mode, pair.out.id.spi, pair.in.id.spi);
  return pair.exporter->derive(kLabel, 0, flow, {}, kBindingSize);
}

// Nothing is latched, and so nothing can rest on it; a man in the middle is found all the same.
base::Result<BindReply> bind_only(const Case& seen, const Pair& pair, Role role, const base::Error& why) {
  auto binding = binding_of(seen, pair, role);
  if (!binding) return binding.error();
  BindReply reply{KerberosUse::bind, why.code, why.detail, {}, *std::move(binding)};
  reply.channel.cookie = seen.socket.cookie;
  return reply;
}

base::Result<BindReply> latch_and_bind(Core& core, const Request& request, Case& seen, const Pair& pair, Role role, const ProgramRule& rule) {
  auto binding = binding_of(seen, pair, role);
  if (!binding) return binding.error();
  const bool since_start = latched_since_start(core, seen);
  auto latch = KernelLatch::set(core, request, seen);
  if (!latch) return latch.error();
  const base::Status same = confirm(core, request, seen, latch->parameters(), {pair.out, pair.in});
  if (!same.ok()) return same.error();
  const auto slot = enter(core, request, seen, latch->parameters(), since_start);
  if (!slot) return slot.error();
  latch->keep();
  BindReply reply{KerberosUse::bind, Code::ok, {}, channel_info(core, seen, latch->parameters(), *slot), *std::move(binding)};
  if (rule.kerberos != KerberosUse::skip || rule.seal == protocol::Seal::always) return reply;
  if (const base::Status may = may_skip(rule, reply.channel, since_start); may.ok()) reply.use = KerberosUse::skip;
  else reply.why = may.error().code, reply.detail = may.error().detail;
  return reply;
}

base::Result<BindReply> bind_once(Core& core, Bench& bench, const Request& request, const BindRequest& asked, const ProgramRule& rule,
                                  base::Result<Case>& seen) {
  if (!seen) return seen.error();
  base::Status status = fits_role(core, request, *seen, asked.found, asked.role);
  if (status.ok()) status = sufficient(seen->assessment, *core.config());
  if (!status.ok()) return status.error();
  if (in_a_rekey(seen->assessment.verdict, realtime() / 1000000000u))
    return fail(Code::SA_GONE, "the SAs are being replaced, and the other host may have others yet");
  const auto pair = choose_pair(core, bench, *seen, asked.role);
  if (!pair) return pair.error();
  if (!seen->assessment.verdict.latchable) return bind_only(*seen, *pair, asked.role, seen->assessment.verdict.why_not_latchable);
  return latch_and_bind(core, request, *seen, *pair, asked.role, rule);
}

protocol::BoundBefore answered(const BindRequest& asked, const base::Result<BindReply>& reply) {
  const base::Error why = reply.ok() ? base::Error{reply->why, reply->detail} : reply.error();
  return {asked.role, asked.found, asked.program, realtime(), reply.ok() ? reply->use : KerberosUse::off, why.code, why.detail};
}

}  // namespace

base::Result<Answer> handle_bind(Core& core, Bench& bench, const Request& request) {
  const auto asked = protocol::decode_bind_request(request.body);
  if (!asked) return asked.error();
  const ProgramRule rule = rule_for(*core.config(), asked->program);
  if (rule.kerberos == KerberosUse::off) return Answer{encode(BindReply{})};
  auto seen = examine(core, request);
  const auto reply = bind_once(core, bench, request, *asked, rule, seen);
  if (seen.ok()) core.bound.note(seen->socket.cookie, answered(*asked, reply));
  if (!reply) return reply.error();
  return Answer{encode(*reply)};
}

// RFC 5056: what a channel is bound to must not change as long as it lives, which the latch sees to.
base::Result<Answer> handle_binding(Core& core, Bench& bench, const Request& request) {
  const auto asked = protocol::decode_binding_request(request.body);
  if (!asked) return asked.error();
  ProgramRule rule;
  rule.kerberos = KerberosUse::bind;
  auto seen = examine(core, request);
  const auto reply = bind_once(core, bench, request, {protocol::Found::named, asked->role, {}}, rule, seen);
  if (!reply) return reply.error();
  if (reply->channel.latch != protocol::LatchState::established) return fail(reply->why, reply->detail);
  return Answer{encode(*reply)};
}

// Who holds the socket may know what became of it, and anybody what a program's line says, as with HELLO.
base::Result<Answer> handle_bound(Core& core, const Request& request) {
  const auto asked = protocol::decode_bound_request(request.body);
  if (!asked) return asked.error();
  const ProgramRule rule = rule_for(*core.config(), asked->program);
  protocol::BoundReply reply{rule.kerberos, rule.without_ticket == WithoutTicket::ipsec, rule.min_key_bits, {}};
  if (request.fd < 0) return Answer{encode(reply)};
  const auto socket = passed_socket(core, request);
  if (!socket) return socket.error();
  reply.before = core.bound.find(socket->cookie);
  return Answer{encode(reply)};
}

}  // namespace gssipsec::broker
