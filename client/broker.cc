// SPDX-License-Identifier: MIT
#include "client/broker.h"

#include <stdexcept>
#include <utility>

#include "base/trace.h"
#include "client/connect.h"
#include "client/pool.h"

namespace gssipsec::client {
namespace {

using base::Code;
using base::Result;
using protocol::LatchState;
using protocol::Verb;

struct Ask {
  Verb verb;
  base::Bytes body;
  int fd = -1;
  bool for_latch = false;
  // `body` names a slot of this connection's page; any other connection is sent `elsewhere`.
  const Connection* preferred = nullptr;
  base::Bytes elsewhere;

  [[nodiscard]] const base::Bytes& body_for(const Connection& connection) const noexcept {
    return preferred && preferred != &connection ? elsewhere : body;
  }
};

// The answer and the connection that gave it, which its slots belong to.
struct Exchange {
  Answer answer;
  std::shared_ptr<Connection> connection;
};

Result<Exchange> over(std::shared_ptr<Connection> connection, const Ask& ask, const Deadline& deadline) {
  auto answer = connection->call(ask.verb, ask.body_for(*connection), ask.fd, deadline);
  if (!answer) return answer.error();
  if (answer->frame.header.status == Code::ok) return Exchange{*std::move(answer), std::move(connection)};
  base::Error error = protocol::error_of(answer->frame);
  if (error.code == Code::CREDENTIALS_CHANGED || error.code == Code::BAD_MESSAGE) connection->hang_up();
  else put_idle(std::move(connection));
  return error;
}

// An idle connection may have died, or stopped being ours, since it was put away; a new one says what is really so.
bool idle_was_stale(Code code) noexcept { return code == Code::NO_BROKER || code == Code::CREDENTIALS_CHANGED; }

Result<Exchange> within(const std::string& path, const Ask& ask, const Deadline& deadline) {
  if (auto idle = take_idle(path, ask.for_latch, ask.preferred)) {
    auto done = over(std::move(idle), ask, deadline);
    if (done.ok() || !idle_was_stale(done.error().code)) return done;
  }
  auto fresh = Connection::open(path, deadline);
  if (!fresh) return fresh.error();
  return over(*std::move(fresh), ask, deadline);
}

Result<Exchange> exchange(const Ask& ask) {
  const std::string path = broker_path();
  if (backing_off(path)) return base::fail(Code::BROKER_TIMEOUT, "it did not answer a moment ago and is not asked again yet");
  auto done = within(path, ask, Deadline(kCallMilliseconds));
  if (done.ok()) return done;
  if (done.error().code == Code::BROKER_TIMEOUT) note_timeout(path);
  if (base::tracing()) base::trace("client", base::describe(done.error()));
  return done;
}

base::Error too_long(const std::length_error& what) {
  return base::fail(Code::BAD_ARGUMENT, std::string(what.what()) + " is too long or not plain text");
}

template <typename Request>
Result<Ask> ask_for(Verb verb, const Request& request, int fd) try {
  return Ask{verb, protocol::encode(request), fd, false, nullptr, {}};
} catch (const std::length_error& error) {
  return too_long(error);
}

Result<Ask> with_socket(Result<Ask> ask) {
  if (ask.ok() && ask->fd < 0) return base::fail(Code::NOT_A_SOCKET, "wanted a descriptor, found " + std::to_string(ask->fd));
  return ask;
}

// A body that does not decode is a broken broker: nothing more is read from that connection.
template <typename Reply>
Result<Reply> decoded(Exchange& done, Result<Reply> (*decode)(base::View)) {
  auto reply = decode(done.answer.frame.body);
  if (!reply) done.connection->hang_up();
  return reply;
}

template <typename Reply>
Result<Reply> simple(Result<Ask> ask, Result<Reply> (*decode)(base::View)) {
  if (!ask) return ask.error();
  auto done = exchange(*ask);
  if (!done) return done.error();
  auto reply = decoded(*done, decode);
  if (reply.ok()) put_idle(std::move(done->connection));
  return reply;
}

// Where an answer says that the latch lies.
struct Place {
  LatchState state;
  std::uint32_t slot, generation;
};
template <typename Reply>
Place place_of(const Reply& reply) {
  return {reply.channel.latch, reply.channel.slot, reply.channel.generation};
}
Place place_of(const protocol::CheckReply& reply) { return {reply.state, reply.slot, reply.generation}; }
Place place_of(const protocol::AcceptReply& reply) {
  return {reply.retry ? LatchState::none : reply.channel.latch, reply.channel.slot, reply.channel.generation};
}

bool is_latched(LatchState state) { return state == LatchState::established || state == LatchState::listener; }
// A socket that can only be watched has a slot where just that was asked for; no context rests on one.
template <typename Reply>
bool has_slot(const Reply&, const Place& place) {
  return is_latched(place.state);
}
bool has_slot(const protocol::LatchReply&, const Place& place) {
  return is_latched(place.state) || (place.state == LatchState::monitored && place.generation != 0);
}

template <typename Reply>
struct Slotted {
  Reply reply;
  std::shared_ptr<LatchSlot> slot;  // null: nothing is latched
  std::optional<protocol::ProgramPolicy> program;
};

// The slot is taken over before anybody else can use the connection.
template <typename Reply>
Result<Slotted<Reply>> slotted(Exchange done, Result<Reply> (*decode)(base::View)) {
  auto reply = decoded(done, decode);
  if (!reply) return reply.error();
  const Place place = place_of(*reply);
  std::shared_ptr<LatchSlot> slot;
  if (has_slot(*reply, place)) {
    auto adopted = done.connection->adopt(place.slot, place.generation);
    if (!adopted) {
      done.connection->hang_up();
      return adopted.error();
    }
    slot = *std::move(adopted);
  }
  const auto program = done.connection->program();
  put_idle(std::move(done.connection));
  return Slotted<Reply>{*std::move(reply), std::move(slot), program};
}

template <typename Reply>
Result<Slotted<Reply>> latching(Result<Ask> ask, Result<Reply> (*decode)(base::View)) {
  if (!ask) return ask.error();
  ask->for_latch = true;
  auto done = exchange(*ask);
  if (!done) return done.error();
  return slotted(*std::move(done), decode);
}

Result<Ask> check_request(int fd, std::uint64_t cookie, const LatchSlot* slot, const base::Bytes& statement) {
  Result<Ask> ask = ask_for(Verb::check, protocol::CheckRequest{0, 0, cookie, statement}, fd);
  if (!ask || !slot) return ask;
  ask->preferred = slot->connection();
  ask->elsewhere = std::exchange(ask->body, protocol::encode(protocol::CheckRequest{slot->slot(), slot->generation(), cookie, statement}));
  return ask;
}

// Broken is broken, whatever the reason: it goes into the detail.
base::Error not_confirmed(const protocol::CheckReply& reply) {
  const bool unconfirmed = reply.state == LatchState::stale || reply.state == LatchState::monitored;
  const base::Error why = base::fail(reply.why, reply.detail);
  if (!unconfirmed) return base::fail(Code::LATCH_BROKEN, reply.why == Code::ok || reply.why == Code::LATCH_BROKEN ? reply.detail : base::describe(why));
  if (reply.why != Code::ok) return why;
  return base::fail(reply.state == LatchState::stale ? Code::LATCH_STALE : Code::NOT_LATCHABLE, reply.detail);
}

}  // namespace

LatchWord::LatchWord() = default;
LatchWord::~LatchWord() = default;
LatchWord::LatchWord(LatchWord&&) noexcept = default;
LatchWord& LatchWord::operator=(LatchWord&&) noexcept = default;

LatchState LatchWord::state() const noexcept { return slot_ ? slot_->state() : LatchState::none; }
bool LatchWord::valid() const noexcept { return slot_ != nullptr; }

template <typename Got>
auto Broker::latched(Got got) {
  Latched<decltype(got.reply)> latched{std::move(got.reply), LatchWord(), got.program};
  latched.latch.slot_ = std::move(got.slot);
  latched.latch.statement_ = std::move(latched.reply.channel.statement);
  return latched;
}

std::optional<protocol::ProgramPolicy> Broker::program_policy() {
  const std::string path = broker_path();
  if (backing_off(path)) return std::nullopt;
  auto connection = take_idle(path, false, nullptr);
  if (!connection) {
    auto fresh = Connection::open(path, Deadline(kCallMilliseconds));
    if (!fresh && fresh.error().code == Code::BROKER_TIMEOUT) note_timeout(path);
    if (!fresh) return std::nullopt;
    connection = *std::move(fresh);
  }
  const auto policy = connection->program();
  put_idle(std::move(connection));
  return policy;
}

Result<protocol::Report> Broker::query(int fd, const protocol::QueryRequest& request) {
  return simple(with_socket(ask_for(Verb::query, request, fd)), protocol::decode_report);
}

Result<protocol::SurveyReply> Broker::survey(int fd, const protocol::SurveyRequest& request) {
  return simple(with_socket(ask_for(Verb::survey, request, fd)), protocol::decode_survey_reply);
}

Result<protocol::Report> Broker::query_flow(const protocol::QueryFlowRequest& request) {
  return simple(ask_for(Verb::query_flow, request, -1), protocol::decode_report);
}

Result<Latched<protocol::InitiateReply>> Broker::initiate(int fd, const protocol::InitiateRequest& request) {
  auto got = latching(with_socket(ask_for(Verb::initiate, request, fd)), protocol::decode_initiate_reply);
  if (!got) return got.error();
  return latched(*std::move(got));
}

Result<Latched<protocol::AcceptReply>> Broker::accept(int fd, const protocol::AcceptRequest& request) {
  auto got = latching(with_socket(ask_for(Verb::accept, request, fd)), protocol::decode_accept_reply);
  if (!got) return got.error();
  return latched(*std::move(got));
}

Result<Latched<protocol::BindReply>> Broker::bind(int fd, protocol::Found found, channel::Role role) {
  auto got = latching(with_socket(ask_for(Verb::bind, protocol::BindRequest{found, role}, fd)), protocol::decode_bind_reply);
  if (!got) return got.error();
  return latched(*std::move(got));
}

Result<Latched<protocol::BindReply>> Broker::binding(int fd, channel::Role role) {
  auto got = latching(with_socket(ask_for(Verb::binding, protocol::BindingRequest{role}, fd)), protocol::decode_bind_reply);
  if (!got) return got.error();
  return latched(*std::move(got));
}

base::Status Broker::check(int fd, std::uint64_t cookie, LatchWord& latch) {
  const auto now = socket_cookie(fd);
  if (!now || *now != cookie) return base::fail(Code::SOCKET_CHANGED, "descriptor " + std::to_string(fd) + " was closed or reused");
  auto got = latching(check_request(fd, cookie, latch.slot_.get(), latch.statement_), protocol::decode_check_reply);
  if (!got) return got.error();
  if (got->reply.state != LatchState::established) return not_confirmed(got->reply);
  latch.slot_ = std::move(got->slot);
  return {};
}

Result<Latched<protocol::LatchReply>> Broker::latch(int fd, const protocol::LatchRequest& request) {
  auto got = latching(with_socket(ask_for(Verb::latch, request, fd)), protocol::decode_latch_reply);
  if (!got) return got.error();
  return latched(*std::move(got));
}

Result<protocol::RequireReply> Broker::require(int fd, const protocol::RequireRequest& request) {
  return simple(with_socket(ask_for(Verb::require, request, fd)), protocol::decode_require_reply);
}

Result<std::uint32_t> Broker::endpoint(const protocol::EndpointRequest& request) {
  auto got = simple(ask_for(Verb::endpoint, request, -1), protocol::decode_endpoint_reply);
  if (!got) return got.error();
  return got->value;
}

Result<protocol::Endpoint> Broker::resolve(std::uint32_t value) {
  auto got = simple(ask_for(Verb::resolve, protocol::ResolveRequest{value}, -1), protocol::decode_resolve_reply);
  if (!got) return got.error();
  return std::move(got->endpoint);
}

Result<protocol::LocatorsReply> Broker::locators(int fd) {
  return simple(with_socket(Ask{Verb::locators, {}, fd, false, nullptr, {}}), protocol::decode_locators_reply);
}

base::Status Broker::unlatch(int fd) {
  const auto cookie = socket_cookie(fd);
  if (!cookie) return base::fail(Code::NOT_A_SOCKET, "wanted a socket");
  auto done = exchange(Ask{Verb::unlatch, protocol::encode(protocol::UnlatchRequest{*cookie}), fd, false, nullptr, {}});
  if (!done) return done.error();
  put_idle(std::move(done->connection));
  return {};
}

void Broker::release(LatchWord& latch) noexcept { latch.slot_.reset(); }

Result<protocol::ProbeReply> Broker::probe(const protocol::ProbeRequest& request) {
  return simple(ask_for(Verb::probe, request, -1), protocol::decode_probe_reply);
}

Result<std::string> Broker::localname(const std::string& name) {
  auto got = simple(ask_for(Verb::localname, protocol::LocalnameRequest{name}, -1), protocol::decode_localname_reply);
  if (!got) return got.error();
  return std::move(got->user);
}

Result<protocol::HandOverReply> Broker::hand_over(int fd, std::uint64_t cookie) {
  return simple(with_socket(ask_for(Verb::hand_over, protocol::HandOverRequest{cookie}, fd)), protocol::decode_hand_over_reply);
}

Result<Latched<protocol::TakeOverReply>> Broker::take_over(int fd, const protocol::TakeOverRequest& request) {
  auto got = latching(with_socket(ask_for(Verb::take_over, request, fd)), protocol::decode_take_over_reply);
  if (!got) return got.error();
  return latched(*std::move(got));
}

Result<protocol::BoundReply> Broker::bound(int fd, const std::string& program) {
  return simple(ask_for(Verb::bound, protocol::BoundRequest{program}, fd), protocol::decode_bound_reply);
}

Result<protocol::ExplainReply> Broker::explain(int fd, const protocol::ExplainRequest& request) {
  auto ask = ask_for(Verb::explain, request, fd);
  return simple(request.flow ? std::move(ask) : with_socket(std::move(ask)), protocol::decode_explain_reply);
}

Result<std::string> Broker::metrics() {
  auto got = simple(Ask{Verb::metrics, {}, -1, false, nullptr, {}}, protocol::decode_metrics_reply);
  if (!got) return got.error();
  return std::move(got->text);
}

Result<protocol::LatchesReply> Broker::latches(std::uint64_t after) {
  return simple(ask_for(Verb::latches, protocol::LatchesRequest{after}, -1), protocol::decode_latches_reply);
}

Result<protocol::MirrorReply> Broker::mirror() { return simple(Ask{Verb::mirror, {}, -1, false, nullptr, {}}, protocol::decode_mirror_reply); }

}  // namespace gssipsec::client
