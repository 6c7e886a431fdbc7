// SPDX-License-Identifier: MIT
// A security context: the exchange of tokens as a table of states and token types, then per-message calls, each of which
// first looks at the latch. Both sides are here; what is secret or privileged the brokers do.
// Threads: any; one lock a context, held across the broker's calls (2 s at most). Ownership: keeps no descriptor, only the
// number and cookie of the caller's. Failures: the broker's, the tokens' (2xx), LATCH_BROKEN, LATCH_STALE, NO_CONTEXT, EXPIRED.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "client/broker.h"
#include "client/sockets.h"
#include "mech_ipsec/lock.h"
#include "mech_ipsec/name.h"
#include "mech_ipsec/protection.h"
#include "mech_ipsec/token.h"
#include "mech_ipsec/transcript.h"
#include "mech_ipsec/watched_latch.h"

namespace gssipsec::mech {

// What the caller asks for. An initiator's are fixed by its first call, an acceptor's may come with each.
struct Terms {
  client::FoundSocket socket;
  std::uint32_t want = 0;         // protocol::Want
  std::string wanted;             // initiator: the peer's name, "" any
  std::string service;            // acceptor: the service it speaks for, "" any that it may
  std::optional<Digest> bindings; // of the application's channel bindings
  bool acceptor_ends = false;     // initiator: the acceptor has the last word, as programs that know only Kerberos expect
};

// What a step gives: a token to send even where the step failed, so that the peer learns of it.
struct Step {
  base::Status status;
  base::Bytes token;
};

// Facts of a context, for people and flags.
struct Facts {
  bool initiator = true, open = false;
  bool mutual = false, anonymous = false, bound = false;
  bool conceals = true;            // gss_wrap gives confidentiality where it is asked for
  std::uint16_t strength = 0;      // bits; what gss_wrap gives, 1 where that is integrity alone
  std::optional<Name> local, peer;
  std::uint32_t seconds_left = 0xffffffff;
};

struct Unwrapped {
  bool confidential = false;
  bool sealed = false;
  Order order = Order::in_order;
};

class Context {
 public:
  Context(channel::Role role, Terms terms);

  // `input` empty: no token. Once a step has failed every later one does.
  [[nodiscard]] Step step(base::View input);
  // An acceptor's that was asked for another HELLO: what the next one is judged by. Later steps go by what HELLO was judged by.
  void renew(Terms terms);
  [[nodiscard]] bool awaits_hello() const;
  [[nodiscard]] Facts facts() const;
  [[nodiscard]] bool open() const;

  // The gss_wrap family. True: confidential.
  [[nodiscard]] base::Result<bool> wrap(bool confidential, std::uint32_t qop, const Message& message, std::span<std::byte, kWrapOverhead> head);
  // What wrap() would answer now, without making a token.
  [[nodiscard]] base::Result<bool> would_conceal(bool confidential, std::uint32_t qop);
  // The gss_unwrap family: the pieces are as long together as the token says.
  [[nodiscard]] base::Result<Unwrapped> unwrap(const MessageToken& token, const Message& message);
  [[nodiscard]] base::Status get_mic(std::uint32_t qop, Views message, std::span<std::byte, kMicSize> token);
  [[nodiscard]] base::Result<Order> verify_mic(const MessageToken& token, Views message);
  [[nodiscard]] base::Status pseudo_random(bool full, base::View input, std::span<std::byte> out);

  [[nodiscard]] base::Result<base::Secret> application_key();

  // For another process that holds the same connection; afterwards this context sends nothing more, and goes. Needs a latch that holds.
  [[nodiscard]] base::Result<base::Bytes> leave();
  // A new context becomes the one that left another process. One that failed is of no more use.
  [[nodiscard]] base::Status arrive(base::View token);

 private:
  enum class State : std::uint8_t {
    initiator_new, initiator_waiting, initiator_ending, acceptor_new, acceptor_again, acceptor_waiting, established, failed
  };
  static constexpr std::size_t kStates = 8, kTokenTypes = 8;
  using Answer = base::Result<base::Bytes>;  // the token to send; empty: none
  using Move = Answer (Context::*)(const ContextToken& token);
  static const Move kMoves[kStates][kTokenTypes];

  [[nodiscard]] Answer advance(base::View input);
  [[nodiscard]] base::Result<ContextToken> read(base::View input, base::View& inner) const;
  // The table's moves, and what is done where it has none.
  [[nodiscard]] Answer say_hello(const ContextToken& token);
  [[nodiscard]] Answer say_hello_again(const ContextToken& token);
  [[nodiscard]] Answer believe_reply(const ContextToken& token);
  [[nodiscard]] Answer answer_hello(const ContextToken& token);
  [[nodiscard]] Answer check_confirm(const ContextToken& token);
  [[nodiscard]] Answer check_and_finish(const ContextToken& token);
  [[nodiscard]] Answer believe_finish(const ContextToken& token);
  [[nodiscard]] Answer peer_refused(const ContextToken& token);
  [[nodiscard]] Answer out_of_order(const ContextToken& token);

  [[nodiscard]] Answer hello();
  [[nodiscard]] Answer ask_again();
  [[nodiscard]] Answer confirm(base::View session_key);
  [[nodiscard]] base::Result<protocol::AcceptReply> ask_to_accept(const ContextToken& token);
  [[nodiscard]] base::Status begin();
  [[nodiscard]] base::Status same_connection() const;
  [[nodiscard]] base::Status count_retry();
  [[nodiscard]] base::Status heed(const std::optional<protocol::ProgramPolicy>& program);
  [[nodiscard]] base::Status strong_enough() const;
  [[nodiscard]] base::Status fit();
  void forget();
  [[nodiscard]] base::Status establish(base::View session_key, const Digest& id);
  [[nodiscard]] base::Status take_names();
  [[nodiscard]] base::Status resume(protocol::ContextState state);
  [[nodiscard]] bool is_mutual() const;
  [[nodiscard]] Digest bindings() const { return terms_.bindings.value_or(Digest{}); }

  // Per message.
  [[nodiscard]] base::Status usable() const;
  [[nodiscard]] base::Result<MessageType> form_of(bool confidential, std::uint32_t qop);
  [[nodiscard]] std::uint32_t seconds_left() const;

  mutable Mutex mutex_;
  channel::Role role_;
  State state_;
  Terms terms_;
  unsigned retries_ = 0;
  // Until the exchange is over. Initiator: of the last HELLO; of REPLY.
  base::Secret handshake_key_, session_key_;
  Digest confirmed_{};               // initiator_ending: the id of the context
  channel::FlowLabel flow_;
  client::Endpoints endpoints_{};
  std::optional<SendCounter> counter_;
  base::Bytes inner_;                // the token being read, for the transcript
  Transcript transcript_;
  protocol::ChannelInfo channel_;
  protocol::ProgramPolicy program_;  // the administrator's, for this program
  std::optional<Name> local_, peer_;
  bool bound_ = false;
  bool initiator_asked_mutual_ = false;  // acceptor: what the initiator insists on
  std::int64_t expires_ = 0;         // milliseconds of the monotonic clock; 0 never
  WatchedLatch latch_;
  std::optional<Protection> protection_;
};

}  // namespace gssipsec::mech
