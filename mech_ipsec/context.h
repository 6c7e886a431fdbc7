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
#include "mech_ipsec/exported.h"
#include "mech_ipsec/lock.h"
#include "mech_ipsec/name.h"
#include "mech_ipsec/protection.h"
#include "mech_ipsec/token.h"
#include "mech_ipsec/transcript.h"

namespace gssipsec::mech {

// What the caller asks for. An initiator's are fixed by its first call, an acceptor's may come with each.
struct Terms {
  client::FoundSocket socket;
  std::uint32_t want = 0;         // protocol::Want
  std::string wanted;             // initiator: the peer's name, "" any
  std::string service;            // acceptor: the service it speaks for, "" any that it may
  std::optional<Digest> bindings; // of the application's channel bindings
};

// What a step gives: a token to send even where the step failed, so that the peer learns of it.
struct Step {
  base::Status status;
  base::Bytes token;
};

// Both ends as the broker named them; the peer's with what is known of it.
struct Names {
  Name local, peer;
  // BAD_MESSAGE.
  [[nodiscard]] static base::Result<Names> of(const protocol::ChannelInfo& channel, const client::FoundSocket& socket);
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
  // What arrived from another process, complete.
  struct Arrival {
    ContextState state;
    client::FoundSocket socket;
    client::LatchWord latch;
    Names names;
    Protection protection;
  };

  Context(channel::Role role, Terms terms);
  explicit Context(Arrival arrival);

  // `input` empty: no token. Once a step has failed every later one does.
  [[nodiscard]] Step step(base::View input);
  // Acceptors, before a further step.
  void renew(Terms terms);
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
  [[nodiscard]] base::Result<base::Secret> application_key() const;

  // For another process that holds the same connection; afterwards this context does nothing more. Needs a latch that holds.
  [[nodiscard]] base::Result<base::Bytes> leave();
  [[nodiscard]] static base::Result<Arrival> arrive(base::View token);
  // The program has the connection under another number now. SOCKET_CHANGED for another connection.
  [[nodiscard]] base::Status move_to(int fd);

 private:
  enum class State : std::uint8_t { initiator_new, initiator_waiting, acceptor_new, acceptor_challenged, established, failed };
  static constexpr std::size_t kStates = 6, kTokenTypes = 5;
  using Answer = base::Result<base::Bytes>;  // the token to send; empty: none
  using Move = Answer (Context::*)(const ContextToken& token);
  static const Move kMoves[kStates][kTokenTypes];

  [[nodiscard]] Answer advance(base::View input);
  [[nodiscard]] base::Result<ContextToken> read(base::View input, base::View& inner) const;
  // The table's moves.
  [[nodiscard]] Answer say_hello(const ContextToken& token);
  [[nodiscard]] Answer say_hello_again(const ContextToken& token);
  [[nodiscard]] Answer finish(const ContextToken& token);
  [[nodiscard]] Answer answer_hello(const ContextToken& token);
  [[nodiscard]] Answer peer_refused(const ContextToken& token);
  [[nodiscard]] Answer out_of_order(const ContextToken& token);

  [[nodiscard]] Answer hello(const std::optional<Digest>& challenge);
  [[nodiscard]] Answer challenge_peer(const Digest& challenge);
  [[nodiscard]] base::Result<protocol::AcceptReply> ask_to_accept(const ContextToken& token);
  [[nodiscard]] base::Status count_retry();
  [[nodiscard]] base::Status establish(base::View session_key, protocol::ChannelInfo channel, bool bound);
  [[nodiscard]] base::Status ask_administrator();
  [[nodiscard]] bool is_mutual() const;
  [[nodiscard]] Digest bindings() const { return terms_.bindings.value_or(Digest{}); }

  // Per message.
  [[nodiscard]] base::Status usable() const;
  [[nodiscard]] base::Result<MessageType> form_of(bool confidential, std::uint32_t qop);
  [[nodiscard]] base::Status confirm_latch();
  [[nodiscard]] base::Result<protocol::LatchState> latch_for(bool channel_token);
  [[nodiscard]] std::uint32_t seconds_left() const;
  [[nodiscard]] std::uint16_t strength() const;

  mutable Mutex mutex_;
  const channel::Role role_;
  State state_;
  Terms terms_;
  unsigned retries_ = 0;
  std::optional<Digest> challenge_;  // acceptor: the last one sent
  base::Bytes own_sealed_;           // initiator: the last HELLO's
  base::Bytes inner_;                // the token being read, for the transcript
  Transcript transcript_;
  protocol::ChannelInfo channel_;
  std::optional<Names> names_;
  bool bound_ = false;
  bool initiator_asked_mutual_ = false;  // acceptor: what the initiator insists on
  protocol::Seal seal_ = protocol::Seal::unless_confidential;
  std::uint16_t min_key_bits_ = 0;
  std::int64_t expires_ = 0;         // milliseconds of the monotonic clock; 0 never
  client::LatchWord latch_;
  base::Status confirmed_;           // what the broker last said of a latch that was not intact
  std::int64_t ask_again_ = 0;       // milliseconds of the monotonic clock
  std::optional<Protection> protection_;
};

}  // namespace gssipsec::mech
