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

std::string in_words(const Minimum& wanted) {
  std::string words = std::to_string(wanted.min_key_bits) + " bits";
  for (const std::string& suite : wanted.suites) words += (&suite == &wanted.suites.front() ? " by " : " or ") + suite;
  return words;
}

base::Status may_skip(const ProgramRule& rule, const ChannelInfo& channel, const channel::Verdict& verdict, bool since_start) {
  if (!since_start) return fail(Code::STARTED_IN_CLEAR);
  if (!channel.breaks_shut)
    return fail(Code::NOT_LATCHABLE, "the kernel cannot close a connection that another peer takes over; it needs SOCK_DESTROY");
  if (!channel.integrity || !channel.replay_protection) return fail(Code::WEAK, "wanted integrity and replay protection");
  for (const channel::OneWay* way : {&verdict.out, &verdict.in})
    if (!rule.admits(way->quality))
      return fail(Code::WEAK, "wanted " + in_words(rule) + " for this program, found " + way->quality.suite + " with " + std::to_string(way->quality.key_bits) + " bits");
  return {};
}

// Under which the service is known: the acceptor's.
std::uint16_t service_port(const channel::Flow& flow, Role role) noexcept { return role == Role::initiator ? flow.remote_port : flow.local_port; }

base::Error off_here(const std::string& program, std::uint16_t port) {
  return fail(Code::UNAVAILABLE, "the [[program]] lines of " + program + " leave Kerberos alone on port " + std::to_string(port));
}

base::Result<base::Secret> binding_of(const Case& seen, const Pair& pair, Role role) {
  const auto flow = label_of(seen.socket.flow, role, seen.assessment.verdict.mode, pair.out.id.spi, pair.in.id.spi);
  return pair.exporter->derive(kLabel, 0, flow, {}, kBindingSize);
}

bool wants_to_skip(const ProgramRule& rule) noexcept { return rule.kerberos == KerberosUse::skip && rule.seal != protocol::Seal::always; }

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
  if (!wants_to_skip(rule)) return reply;
  if (const base::Status may = may_skip(rule, reply.channel, seen.assessment.verdict, since_start); may.ok()) reply.use = KerberosUse::skip;
  else reply.why = may.error().code, reply.detail = may.error().detail;
  return reply;
}

// A pin keeps out all that follows its SAs until a message has the socket latched again. Where no message rests on it that is a price for nothing.
bool pins_for_nothing(const ProgramRule& rule, const Case& seen) { return !wants_to_skip(rule) && seen.assessment.peer && pinned(*seen.assessment.peer); }

enum class Latching : std::uint8_t { where_it_serves, always };

base::Result<BindReply> bind_once(Core& core, Bench& bench, const Request& request, const BindRequest& asked, const ProgramRule& rule,
                                  Case& seen, Latching latching) {
  base::Status status = fits_role(core, request, seen, asked.found, asked.role);
  if (status.ok()) status = sufficient(seen.assessment, *core.config());
  if (!status.ok()) return status.error();
  if (in_a_rekey(seen.assessment.verdict, seen.view.arrivals, realtime() / 1000000000u))
    return fail(Code::SA_GONE, "the SAs are being replaced, and the other host may have others yet");
  const auto pair = choose_pair(core, bench, seen, asked.role);
  if (!pair) return pair.error();
  if (!seen.assessment.verdict.latchable) return bind_only(seen, *pair, asked.role, seen.assessment.verdict.why_not_latchable);
  if (latching == Latching::where_it_serves && pins_for_nothing(rule, seen)) return bind_only(seen, *pair, asked.role, {Code::ok, {}});
  return latch_and_bind(core, request, seen, *pair, asked.role, rule);
}

protocol::BoundBefore answered(const BindRequest& asked, const std::string& program, const base::Result<BindReply>& reply) {
  const base::Error why = reply.ok() ? base::Error{reply->why, reply->detail} : reply.error();
  return {asked.role, asked.found, program, realtime(), reply.ok() ? reply->use : KerberosUse::off, why.code, why.detail};
}

// An acceptor's socket has a listener on its port, for who does not know better.
base::Result<Role> role_of(Core& core, const kernel::SocketFacts& socket, const std::optional<protocol::BoundBefore>& before) {
  if (before) return before->role;
  const auto listener = core.host->has_listener(socket.flow);
  if (!listener) return listener.error();
  return *listener ? Role::acceptor : Role::initiator;
}

protocol::BoundReply as_reply(const ProgramRule& rule, std::optional<protocol::BoundBefore> before) {
  const protocol::ProgramPolicy policy = rule.policy();
  return {policy.kerberos, policy.without_ticket, policy.ipsec_first, policy.min_key_bits, std::move(before)};
}

}  // namespace

base::Result<Answer> handle_bind(Core& core, Bench& bench, const Request& request) {
  const auto asked = protocol::decode_bind_request(request.body);
  if (!asked) return asked.error();
  const std::string& program = request.page->program();
  const auto config = core.config();
  if (rule_for(*config, program).kerberos == KerberosUse::off) return Answer{encode(BindReply{})};
  auto seen = examine(core, request);
  if (!seen) return seen.error();
  const std::uint16_t port = service_port(seen->socket.flow, asked->role);
  const ProgramRule rule = rule_at(*config, program, port);
  const bool off = rule.kerberos == KerberosUse::off;
  const base::Result<BindReply> reply = off ? off_here(program, port) : bind_once(core, bench, request, *asked, rule, *seen, Latching::where_it_serves);
  core.bound.note(seen->socket.cookie, answered(*asked, program, reply));
  if (off) return Answer{encode(BindReply{})};
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
  if (!seen) return seen.error();
  const auto reply = bind_once(core, bench, request, {protocol::Found::named, asked->role}, rule, *seen, Latching::always);
  if (!reply) return reply.error();
  if (reply->channel.latch != protocol::LatchState::established) return fail(reply->why, reply->detail);
  return Answer{encode(*reply)};
}

// Who holds the socket may know what became of it, and anybody what a program's lines say, as with HELLO: of a socket the one about it.
base::Result<Answer> handle_bound(Core& core, const Request& request) {
  const auto asked = protocol::decode_bound_request(request.body);
  if (!asked) return asked.error();
  const auto config = core.config();
  const ProgramRule whole = rule_for(*config, asked->program);
  if (request.fd < 0) return Answer{encode(as_reply(whole, {}))};
  const auto socket = passed_socket(core, request);
  if (!socket) return socket.error();
  auto before = core.bound.find(socket->cookie);
  const auto role = role_of(core, *socket, before);
  if (!role) return role.error();
  ProgramRule rule = rule_at(*config, asked->program, service_port(socket->flow, *role));
  rule.acquiring = whole.acquiring;
  return Answer{encode(as_reply(rule, std::move(before)))};
}

}  // namespace gssipsec::broker
