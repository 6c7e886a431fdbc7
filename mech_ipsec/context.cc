// SPDX-License-Identifier: MIT
// The exchange of tokens. Per-message calls are in context_messages.cc.
#include "mech_ipsec/context.h"

#include <algorithm>

#include "base/trace.h"
#include "client/deadline.h"
#include "client/preloaded.h"
#include "mech_ipsec/decision.h"
#include "mech_ipsec/reply.h"

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

base::Bytes proving_token(TokenType type, const base::Secret& proof) {
  ContextToken token;
  token.type = type;
  std::ranges::copy(proof.view(), token.proof.begin());
  return encode(token);
}

}  // namespace

// Rows: states; columns: no token, HELLO, RETRY, REPLY, ERROR, CONFIRM, LAST BUT ONE, FINISH. What is not there is out of order.
const Context::Move Context::kMoves[kStates][kTokenTypes] = {
    /* initiator_new     */ {&Context::say_hello},
    /* initiator_waiting */ {nullptr, nullptr, &Context::say_hello_again, &Context::believe_reply, &Context::peer_refused},
    /* initiator_ending  */ {nullptr, nullptr, nullptr, nullptr, &Context::peer_refused, nullptr, nullptr, &Context::believe_finish},
    /* acceptor_new      */ {nullptr, &Context::answer_hello},
    /* acceptor_again    */ {nullptr, &Context::answer_hello},
    /* acceptor_waiting  */ {nullptr, nullptr, nullptr, nullptr, nullptr, &Context::check_confirm, &Context::check_and_finish},
    /* established       */ {},
    /* failed            */ {},
};

Context::Context(Role role, Terms terms)
    : role_(role), state_(role == Role::initiator ? State::initiator_new : State::acceptor_new), terms_(std::move(terms)) {}

Step Context::step(View input) {
  const Locked lock(mutex_);
  if (state_ == State::established || state_ == State::failed) return {fail(Code::NO_CONTEXT, "the exchange is over"), {}};
  Answer answer = advance(input);
  if (answer.ok()) return {{}, *std::move(answer)};
  state_ = State::failed;
  forget();
  latch_.release();
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
  const Move move = kMoves[static_cast<std::size_t>(state_)][static_cast<std::size_t>(token->type)];
  return move ? (this->*move)(*token) : out_of_order(*token);
}

Context::Answer Context::out_of_order(const ContextToken& token) {
  return fail(Code::BAD_TOKEN, std::string("found ") + token_name(token.type) + ", which has no place here");
}

Context::Answer Context::peer_refused(const ContextToken& token) {
  const Code code = base::known_code(token.code) ? static_cast<Code>(token.code) : Code::PEER_REFUSED;
  return fail(Code::PEER_REFUSED, code == Code::PEER_REFUSED ? "" : std::string("it says: ") + base::code_text(code));
}

// The broker is asked once, and the exchange goes on: on the connection that it was asked about, and with one counter in
// whatever processes go on with it.
Status Context::begin() {
  if (!counter_) {
    auto made = SendCounter::make();
    if (!made) return made.error();
    counter_.emplace(*std::move(made));
  }
  const auto ends = client::endpoints_of(terms_.socket.fd);
  if (!ends) return ends.error();
  endpoints_ = *ends;
  return {};
}

// As it was when the latch was set: a context keeps to one rule.
Status Context::heed(const std::optional<protocol::ProgramPolicy>& program) {
  if (!program) return fail(Code::LATCH_STALE, "the latch page does not say what the administrator wants of this program");
  program_ = *program;
  return {};
}

Status Context::same_connection() const {
  if (const Status same = client::same_socket(terms_.socket); !same) return same;
  const auto ends = client::endpoints_of(terms_.socket.fd);
  if (ends.ok() && *ends == endpoints_) return {};
  return fail(Code::SOCKET_CHANGED, "descriptor " + std::to_string(terms_.socket.fd) + " is connected elsewhere by now");
}

Status Context::count_retry() {
  if (++retries_ > kMaxRetries) return fail(Code::TOO_MANY_RETRIES);
  return {};
}

// --- initiator

Context::Answer Context::say_hello(const ContextToken&) {
  auto token = hello();
  if (!token) return token;
  state_ = State::initiator_waiting;
  return frame(*token);
}

Context::Answer Context::say_hello_again(const ContextToken&) {
  if (const Status allowed = count_retry(); !allowed) return allowed.error();
  if (const Status same = client::same_socket(terms_.socket); !same) return same.error();
  transcript_.add(inner_);
  return hello();
}

Context::Answer Context::hello() {
  const auto so_far = transcript_.digest();
  if (!so_far) return so_far.error();
  if (const Status begun = begin(); !begun) return begun.error();
  auto made = Broker::initiate(terms_.socket.fd, {terms_.socket.found, terms_.want, terms_.wanted, bindings(), *so_far});
  if (!made) return made.error();
  if (const Status same = same_connection(); !same) return same.error();
  const auto own = channel::peek(made->reply.sealed);
  if (!own) return fail(Code::BAD_MESSAGE, "the broker gave an assertion that cannot be read");
  flow_ = own->flow;
  if (const Status heard = heed(made->program); !heard) return heard.error();
  handshake_key_ = std::move(made->reply.handshake_key);
  channel_ = std::move(made->reply.channel);
  latch_ = WatchedLatch(terms_.socket, std::move(made->latch));
  if (channel_.cookie != terms_.socket.cookie) return fail(Code::SOCKET_CHANGED, "the broker was given another connection");
  if (const Status names = take_names(); !names) return names.error();
  base::Bytes token = sealed_token(TokenType::hello, std::move(made->reply.sealed));
  transcript_.add(token);
  if (base::tracing()) trace("HELLO on descriptor " + std::to_string(terms_.socket.fd));
  return token;
}

Context::Answer Context::believe_reply(const ContextToken& token) {
  if (const Status same = same_connection(); !same) return same.error();
  const auto so_far = transcript_.digest();
  if (!so_far) return so_far.error();
  Expected expected{flow_, *so_far, bindings(), terms_.wanted, (terms_.want & protocol::kWantMutual) != 0, peer_->peer};
  auto acceptor = read_reply(token.sealed, handshake_key_.view(), expected);
  if (!acceptor) return acceptor.error();
  peer_ = Name{std::move(acceptor->name), {}};
  channel_.peer_services = std::move(acceptor->services);
  bound_ = acceptor->bindings_match;
  transcript_.add(inner_);
  return confirm(acceptor->session_key.view());
}

// The id of the context is the hash of all tokens but this one.
Context::Answer Context::confirm(View session_key) {
  const auto id = transcript_.digest();
  if (!id) return id.error();
  const auto proof = channel::confirmation(session_key, *id);
  if (!proof) return proof.error();
  base::Bytes token = proving_token(terms_.acceptor_ends ? TokenType::last_but_one : TokenType::confirm, *proof);
  if (terms_.acceptor_ends) {
    session_key_ = base::Secret(session_key);
    confirmed_ = *id;
    transcript_.add(token);
    state_ = State::initiator_ending;
    return token;
  }
  if (const Status made = establish(session_key, *id); !made) return made.error();
  return token;
}

Context::Answer Context::believe_finish(const ContextToken& token) {
  if (const Status same = same_connection(); !same) return same.error();
  const auto all = transcript_.digest();
  if (!all) return all.error();
  const auto wanted = channel::confirmation(session_key_.view(), *all);
  if (!wanted) return wanted.error();
  if (!base::equal_secret(wanted->view(), token.proof)) return fail(Code::NOT_CONFIRMED);
  if (const Status made = establish(session_key_.view(), confirmed_); !made) return made.error();
  return base::Bytes();
}

// --- acceptor

void Context::renew(Terms terms) {
  const Locked lock(mutex_);
  terms_ = std::move(terms);
}

bool Context::awaits_hello() const {
  const Locked lock(mutex_);
  return state_ == State::acceptor_new || state_ == State::acceptor_again;
}

Result<protocol::AcceptReply> Context::ask_to_accept(const ContextToken& token) {
  if (const Status begun = begin(); !begun) return begun.error();
  const auto before = transcript_.digest(), with = transcript_.digest_with(inner_);
  if (!before || !with) return fail(Code::INTERNAL, "SHA-256 failed");
  protocol::AcceptRequest request{terms_.socket.found, terms_.want, terms_.service, token.sealed, bindings(),
                                  terms_.bindings.has_value(), *before, *with};
  auto answer = Broker::accept(terms_.socket.fd, request);
  if (!answer) return answer.error();
  if (const Status same = same_connection(); !same) return same.error();
  if (const Status heard = heed(answer->program); !heard) return heard.error();
  latch_ = WatchedLatch(terms_.socket, std::move(answer->latch));
  return std::move(answer->reply);
}

Context::Answer Context::answer_hello(const ContextToken& token) {
  auto reply = ask_to_accept(token);
  if (!reply) return reply.error();
  transcript_.add(inner_);
  if (reply->retry) return ask_again();
  initiator_asked_mutual_ = reply->initiator_wants & protocol::kWantMutual;
  bound_ = reply->bindings_match;
  session_key_ = std::move(reply->session_key);
  channel_ = std::move(reply->channel);
  if (const Status names = take_names(); !names) return names.error();
  if (const Status fits = fit(); !fits) return fits.error();
  base::Bytes answer = sealed_token(TokenType::reply, std::move(reply->sealed));
  transcript_.add(answer);
  client::socket_bound(terms_.socket);  // now: what comes after REPLY may be the next context's HELLO
  state_ = State::acceptor_waiting;
  return answer;
}

// A rekey took the SAs that HELLO names.
Context::Answer Context::ask_again() {
  if (const Status allowed = count_retry(); !allowed) return allowed.error();
  ContextToken token;
  token.type = TokenType::retry;
  base::Bytes octets = encode(token);
  transcript_.add(octets);
  state_ = State::acceptor_again;
  if (base::tracing()) trace("RETRY");
  return octets;
}

// Until now nobody has shown that HELLO is not an old one.
Context::Answer Context::check_confirm(const ContextToken& token) {
  if (const Status same = same_connection(); !same) return same.error();
  const auto id = transcript_.digest();
  if (!id) return id.error();
  const auto wanted = channel::confirmation(session_key_.view(), *id);
  if (!wanted) return wanted.error();
  if (!base::equal_secret(wanted->view(), token.proof)) return fail(Code::NOT_CONFIRMED);
  if (const Status made = establish(session_key_.view(), *id); !made) return made.error();
  return base::Bytes();
}

// The same proof over one token more, which makes it another one.
Context::Answer Context::check_and_finish(const ContextToken& token) {
  const auto all = transcript_.digest_with(inner_);
  if (!all) return all.error();
  const auto proof = channel::confirmation(session_key_.view(), *all);
  if (!proof) return proof.error();
  if (Answer checked = check_confirm(token); !checked) return checked;
  return proving_token(TokenType::finish, *proof);
}

// --- both

Status Context::take_names() {
  auto local = channel::parse_name(channel_.local_name), peer = channel::parse_name(channel_.peer_name);
  if (!local || !peer) return fail(Code::BAD_MESSAGE, "the broker gave a name that cannot be read");
  local_ = Name{*std::move(local), {}};
  peer_ = Name{*std::move(peer), {}};
  return {};
}

// Did this end prove itself to the initiator, or the acceptor to this end? An initiator that asked for it refuses otherwise;
// what one that did not ask believes is not known here.
bool Context::is_mutual() const {
  if (role_ == Role::acceptor) return initiator_asked_mutual_ && local_ && !local_->is_anonymous();
  return channel_.peer_authenticated && peer_ && !peer_->is_anonymous();
}

// What only the exchange needs.
void Context::forget() {
  handshake_key_ = {};
  session_key_ = {};
  transcript_ = {};
  counter_.reset();
}

Status Context::strong_enough() const {
  if (channel_.key_bits >= program_.min_key_bits) return {};
  return fail(Code::WEAK, "wanted " + std::to_string(program_.min_key_bits) + " bits for this program, found " + std::to_string(channel_.key_bits));
}

Status Context::fit() {
  if (channel_.cookie != terms_.socket.cookie) return fail(Code::SOCKET_CHANGED, "the broker was given another connection");
  if (role_ == Role::initiator && (terms_.want & protocol::kWantMutual) && !is_mutual()) return fail(Code::PEER_UNAUTHENTICATED);
  if (role_ == Role::acceptor && peer_->is_anonymous() && !(terms_.want & protocol::kAllowAnonymous)) return fail(Code::ANONYMOUS_REFUSED);
  if (const Status strong = strong_enough(); !strong) return strong;
  if (trust_in(latch_.state()) == Trust::unconfirmed)  // a rekey, or a broker that reads all anew
    if (const Status confirmed = latch_.confirm(); !confirmed) return confirmed;
  if (latch_.state() != protocol::LatchState::established) return fail(Code::LATCH_BROKEN, "it broke before the context was complete");
  return {};
}

Status Context::establish(View session_key, const Digest& id) {
  if (const Status fits = fit(); !fits) return fits;
  auto protection = Protection::make(session_key, id, role_ == Role::initiator ? Direction::from_initiator : Direction::from_acceptor, *std::move(counter_));
  if (!protection) return protection.error();
  protection_.emplace(*std::move(protection));
  peer_->facts = std::make_shared<const PeerFacts>(PeerFacts{channel_, terms_.socket, {}});
  if (channel_.lifetime != 0) expires_ = client::monotonic_milliseconds() + std::int64_t{channel_.lifetime} * 1000;
  state_ = State::established;
  forget();
  if (base::tracing()) trace("established: " + display(*local_) + " with " + display(*peer_) + " over " + channel_.suite);
  return {};
}

}  // namespace gssipsec::mech
