// SPDX-License-Identifier: MIT
// The exchange of tokens. Per-message calls are in context_messages.cc.
#include "mech_ipsec/context.h"

#include "base/trace.h"
#include "client/deadline.h"

namespace gssipsec::mech {
namespace {

using base::Code;
using base::fail;
using base::Result;
using base::Status;
using base::View;
using channel::Role;
using client::Broker;

constexpr unsigned kMaxRetries = 2;

void trace(const std::string& text) { base::trace("context", text); }

// What the peer may learn: that its token was wrong, or that it is not let in. Never more of this host.
Code told_to_peer(Code code) noexcept {
  const auto number = static_cast<std::uint32_t>(code);
  const bool about_token = number >= 200 && number < 300;
  const bool about_peer = code == Code::PEER_UNAUTHENTICATED || code == Code::SERVICE_DENIED || code == Code::ANONYMOUS_REFUSED;
  return about_token || about_peer ? code : Code::PEER_REFUSED;
}

base::Bytes error_token(Code code) {
  ContextToken token;
  token.type = TokenType::error;
  token.code = static_cast<std::uint32_t>(told_to_peer(code));
  return encode(token);
}

base::Bytes sealed_token(TokenType type, base::Bytes sealed) {
  ContextToken token;
  token.type = type;
  token.sealed = std::move(sealed);
  return encode(token);
}

}  // namespace

// Rows: states; columns: no token, HELLO, RETRY, REPLY, ERROR.
const Context::Move Context::kMoves[kStates][kTokenTypes] = {
    /* initiator_new       */ {&Context::say_hello, &Context::out_of_order, &Context::out_of_order, &Context::out_of_order, &Context::out_of_order},
    /* initiator_waiting   */ {&Context::out_of_order, &Context::out_of_order, &Context::say_hello_again, &Context::finish, &Context::peer_refused},
    /* acceptor_new        */ {&Context::out_of_order, &Context::answer_hello, &Context::out_of_order, &Context::out_of_order, &Context::out_of_order},
    /* acceptor_challenged */ {&Context::out_of_order, &Context::answer_hello, &Context::out_of_order, &Context::out_of_order, &Context::peer_refused},
    /* established         */ {&Context::out_of_order, &Context::out_of_order, &Context::out_of_order, &Context::out_of_order, &Context::out_of_order},
    /* failed              */ {&Context::out_of_order, &Context::out_of_order, &Context::out_of_order, &Context::out_of_order, &Context::out_of_order},
};

Context::Context(Role role, Terms terms)
    : role_(role), state_(role == Role::initiator ? State::initiator_new : State::acceptor_new), terms_(std::move(terms)) {}

Step Context::step(View input) {
  const Locked lock(mutex_);
  if (state_ == State::established || state_ == State::failed) return {fail(Code::NO_CONTEXT, "the exchange is over"), {}};
  Answer answer = advance(input);
  if (answer.ok()) return {{}, *std::move(answer)};
  state_ = State::failed;
  Broker::release(latch_);
  if (base::tracing()) trace("failed: " + base::describe(answer.error()));
  const bool tell = role_ == Role::acceptor && answer.error().code != Code::PEER_REFUSED;
  return {answer.error(), tell ? error_token(answer.error().code) : base::Bytes()};
}

Result<ContextToken> Context::read(View input, View& inner) const {
  inner = input;
  if (input.empty()) return ContextToken{};
  if (state_ == State::acceptor_new) {
    const auto unframed = unframe(input);
    if (!unframed) return unframed.error();
    inner = *unframed;
  }
  return decode_token(inner);
}

Context::Answer Context::advance(View input) {
  View inner;
  const auto token = read(input, inner);
  if (!token) return token.error();
  if (base::tracing()) trace(std::string(role_ == Role::initiator ? "initiator" : "acceptor") + " got " + token_name(token->type));
  inner_.assign(inner.begin(), inner.end());
  return (this->*kMoves[static_cast<std::size_t>(state_)][static_cast<std::size_t>(token->type)])(*token);
}

Context::Answer Context::out_of_order(const ContextToken& token) {
  return fail(Code::BAD_TOKEN, std::string("found ") + token_name(token.type) + ", which has no place here");
}

Context::Answer Context::peer_refused(const ContextToken& token) {
  const Code code = base::known_code(token.code) ? static_cast<Code>(token.code) : Code::PEER_REFUSED;
  return fail(Code::PEER_REFUSED, code == Code::PEER_REFUSED ? "" : std::string("it says: ") + base::code_text(code));
}

Status Context::count_retry() {
  if (++retries_ > kMaxRetries) return fail(Code::TOO_MANY_RETRIES);
  return {};
}

// --- initiator

Context::Answer Context::say_hello(const ContextToken&) {
  if (const Status asked = ask_administrator(); !asked) return asked.error();
  auto token = hello(std::nullopt);
  if (!token) return token;
  state_ = State::initiator_waiting;
  return frame(*token);
}

Context::Answer Context::say_hello_again(const ContextToken& token) {
  if (const Status allowed = count_retry(); !allowed) return allowed.error();
  if (const Status same = client::same_socket(terms_.socket); !same) return same.error();
  transcript_.add(inner_);
  return hello(token.challenge);
}

Context::Answer Context::hello(const std::optional<Digest>& challenge) {
  const auto so_far = transcript_.digest();
  if (!so_far) return so_far.error();
  auto made = Broker::initiate(terms_.socket.fd, {terms_.socket.found, terms_.want, terms_.wanted, bindings(), *so_far, challenge});
  if (!made) return made.error();
  own_sealed_ = std::move(made->reply.sealed);
  channel_ = std::move(made->reply.channel);
  if (channel_.cookie != terms_.socket.cookie) return fail(Code::SOCKET_CHANGED, "the broker was given another connection");
  latch_ = std::move(made->latch);
  auto names = Names::of(channel_, terms_.socket);
  if (!names) return names.error();
  names_ = *std::move(names);
  base::Bytes token = sealed_token(TokenType::hello, own_sealed_);
  transcript_.add(token);
  if (base::tracing()) trace("HELLO on descriptor " + std::to_string(terms_.socket.fd) + (challenge ? ", with the challenge" : ""));
  return token;
}

Context::Answer Context::finish(const ContextToken& token) {
  if (const Status same = client::same_socket(terms_.socket); !same) return same.error();
  const auto so_far = transcript_.digest();
  if (!so_far) return so_far.error();
  auto done = Broker::finish(terms_.socket.fd, {terms_.want, own_sealed_, token.sealed, bindings(), *so_far, terms_.wanted});
  if (!done) return done.error();
  latch_ = std::move(done->latch);
  transcript_.add(inner_);
  const Status made = establish(done->reply.session_key.view(), std::move(done->reply.channel), done->reply.bindings_match);
  return made.ok() ? Answer(base::Bytes()) : Answer(made.error());
}

// --- acceptor

void Context::renew(Terms terms) {
  const Locked lock(mutex_);
  terms_ = std::move(terms);
}

Result<protocol::AcceptReply> Context::ask_to_accept(const ContextToken& token) {
  const auto before = transcript_.digest(), with = transcript_.digest_with(inner_);
  if (!before || !with) return fail(Code::INTERNAL, "SHA-256 failed");
  protocol::AcceptRequest request{terms_.socket.found, terms_.want, terms_.service, token.sealed, bindings(),
                                  terms_.bindings.has_value(), *before, *with, challenge_};
  auto answer = Broker::accept(terms_.socket.fd, request);
  if (!answer) return answer.error();
  latch_ = std::move(answer->latch);
  return std::move(answer->reply);
}

Context::Answer Context::answer_hello(const ContextToken& token) {
  if (const Status asked = ask_administrator(); !asked) return asked.error();
  auto reply = ask_to_accept(token);
  if (!reply) return reply.error();
  transcript_.add(inner_);
  if (reply->retry) return challenge_peer(*reply->retry);
  initiator_asked_mutual_ = reply->initiator_wants & protocol::kWantMutual;
  base::Bytes answer = sealed_token(TokenType::reply, std::move(reply->sealed));
  transcript_.add(answer);
  const Status made = establish(reply->session_key.view(), std::move(reply->channel), reply->bindings_match);
  return made.ok() ? Answer(std::move(answer)) : Answer(made.error());
}

Context::Answer Context::challenge_peer(const Digest& challenge) {
  if (const Status allowed = count_retry(); !allowed) return allowed.error();
  ContextToken token;
  token.type = TokenType::retry;
  token.challenge = challenge;
  base::Bytes octets = encode(token);
  transcript_.add(octets);
  challenge_ = challenge;
  state_ = State::acceptor_challenged;
  if (base::tracing()) trace("RETRY with a challenge");
  return octets;
}

// --- both

Result<Names> Names::of(const protocol::ChannelInfo& channel, const client::FoundSocket& socket) {
  auto local = channel::parse_name(channel.local_name), peer = channel::parse_name(channel.peer_name);
  if (!local || !peer) return fail(Code::BAD_MESSAGE, "the broker gave a name that cannot be read");
  return Names{{*std::move(local), {}, {}}, {*std::move(peer), {}, std::make_shared<const PeerFacts>(PeerFacts{channel, socket, {}})}};
}

// Before anything is latched: a broker that does not know the question ends the connection.
Status Context::ask_administrator() {
  const auto settings = Broker::program();
  if (!settings) return settings.error();
  seal_ = settings->seal;
  min_key_bits_ = settings->min_key_bits;
  return {};
}

// Did this end prove itself to the initiator, or the acceptor to this end? An initiator that asked for it refuses otherwise;
// what one that did not ask believes is not known here.
bool Context::is_mutual() const {
  if (role_ == Role::acceptor) return initiator_asked_mutual_ && names_ && !names_->local.is_anonymous();
  return channel_.peer_authenticated && names_ && !names_->peer.is_anonymous();
}

Status Context::establish(View session_key, protocol::ChannelInfo channel, bool bound) {
  auto names = Names::of(channel, terms_.socket);
  if (!names) return names.error();
  names_ = *std::move(names);
  channel_ = std::move(channel);
  bound_ = bound;
  if (channel_.cookie != terms_.socket.cookie) return fail(Code::SOCKET_CHANGED, "the broker was given another connection");
  if (role_ == Role::initiator && (terms_.want & protocol::kWantMutual) && !is_mutual()) return fail(Code::PEER_UNAUTHENTICATED);
  if (role_ == Role::acceptor && names_->peer.is_anonymous() && !(terms_.want & protocol::kAllowAnonymous)) return fail(Code::ANONYMOUS_REFUSED);
  if (channel_.key_bits < min_key_bits_)
    return fail(Code::WEAK, "wanted " + std::to_string(min_key_bits_) + " bits for this program, found " + std::to_string(channel_.key_bits));
  if (latch_.state() != protocol::LatchState::established) return fail(Code::LATCH_BROKEN, "it broke before the context was complete");
  const auto id = transcript_.digest();
  if (!id) return id.error();
  auto protection = Protection::make(session_key, *id, role_ == Role::initiator ? Direction::from_initiator : Direction::from_acceptor);
  if (!protection) return protection.error();
  protection_.emplace(*std::move(protection));
  if (channel_.lifetime != 0) expires_ = client::monotonic_milliseconds() + std::int64_t{channel_.lifetime} * 1000;
  state_ = State::established;
  own_sealed_.clear();
  transcript_ = {};
  if (base::tracing()) trace("established: " + display(names_->local) + " with " + display(names_->peer) + " over " + channel_.suite);
  return {};
}

}  // namespace gssipsec::mech
