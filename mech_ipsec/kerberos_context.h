// SPDX-License-Identifier: MIT
// What the channel adds to one Kerberos context: it is bound to the SAs under its socket, and once both ends have shown that they
// want to, messages rest on the channel (docs/protocol.md, Kerberos over the channel). Knows no Kerberos and no GSS-API: the caller
// carries tokens and Kerberos' word. What is not bound, or not switched, is Kerberos' alone.
// Threads: any; one lock a context, held across the broker's calls (2 s at most). Failures: BAD_TOKEN, SWITCH_FORGED,
// NOT_SWITCHED, BAD_MIC, WRONG_ROLE, LATCH_BROKEN, LATCH_STALE, SOCKET_CHANGED, LIMIT, NO_CONTEXT.
#pragma once

#include <optional>

#include "mech_ipsec/channel_binding.h"
#include "mech_ipsec/context.h"
#include "mech_ipsec/lock.h"
#include "mech_ipsec/protection.h"
#include "mech_ipsec/switch_token.h"

namespace gssipsec::mech {

// Which disorder of messages the context tells of (RFC 2743 1.2.3).
struct Watchfulness {
  bool replays = false, order = false;
};

class KerberosContext {
 public:
  explicit KerberosContext(channel::Role role) noexcept : role_(role) {}

  // --- before the context is complete. Every token of it, in order, with `bind` before the first.
  [[nodiscard]] base::Status bind(const client::FoundSocket& socket);
  // Octets for Kerberos' channel bindings; empty: none.
  [[nodiscard]] base::Bytes bindings() const;
  [[nodiscard]] bool certain() const;  // that the socket is the context's
  void note_token(base::View token);
  void end_exchange();  // Kerberos has its context, bound or not

  // --- Kerberos says that both ends were given the same bindings (an initiator is not told). Where they were not, nothing of this is
  // called, and all that the context does is to keep the latch that `bind` set up to date.
  // What the key is made from by Kerberos' pseudo-random function, with all its strength; empty: none is needed.
  [[nodiscard]] base::Bytes key_input() const;
  static constexpr std::size_t kKeys = 2 * kKeySize;
  [[nodiscard]] base::Status complete(base::View keys, Watchfulness watchfulness);

  // --- messages out
  enum class Way : std::uint8_t { kerberos, offer, channel };
  [[nodiscard]] Way way_out();
  // offer: in front of the message's token of Kerberos.
  [[nodiscard]] base::Status put_switch(std::span<std::byte, kSwitchHeader> out);
  void sent_by_kerberos();
  // channel: the gss_wrap family, as Context's. True: confidential.
  [[nodiscard]] base::Result<bool> wrap(bool confidential, std::uint32_t qop, const Message& message, std::span<std::byte, kWrapOverhead> head);
  [[nodiscard]] base::Result<bool> would_conceal(bool confidential, std::uint32_t qop);
  // What comes in front of a token of Kerberos; none: it will not be otherwise than Kerberos makes it.
  [[nodiscard]] std::optional<std::size_t> reserve() const;

  // --- messages in, told apart by their first octet.
  // SWITCH is genuine: the rest of the token is Kerberos', and if that is good, accept_switch().
  [[nodiscard]] base::Status check_switch(base::View token) const;
  void accept_switch();
  [[nodiscard]] Order received_by_kerberos();
  [[nodiscard]] base::Result<Unwrapped> unwrap(const MessageToken& token, const Message& message);

  // --- questions
  [[nodiscard]] bool switched() const;         // this end sends by the channel
  [[nodiscard]] std::uint16_t strength() const;  // bits, where switched
  // The context leaves this process, or its keys do: nothing rests on the channel from now on. UNAVAILABLE when it does already,
  // NO_CONTEXT before the exchange is over.
  [[nodiscard]] base::Status let_go();

 private:
  [[nodiscard]] SwitchFacts facts() const { return {binding_->value, transcript_digest_}; }
  [[nodiscard]] bool acceptor() const noexcept { return role_ == channel::Role::acceptor; }
  [[nodiscard]] bool is_switched() const noexcept;
  bool look_after_latch(bool channel_token);
  [[nodiscard]] base::Result<MessageType> form_of(bool confidential, std::uint32_t qop);
  [[nodiscard]] Order told(Order order) const noexcept;

  mutable Mutex mutex_;
  const channel::Role role_;
  std::optional<ChannelBinding> binding_;  // none: Kerberos alone
  Transcript transcript_;                  // until it is complete
  Digest transcript_digest_{};
  std::optional<SendCounter> counter_;     // until it is complete
  Watchfulness watchfulness_;
  base::Secret switch_key_;
  std::optional<Protection> protection_;   // from completion on
  bool over_ = false;           // the exchange
  bool agreed_ = false;         // acceptor: SWITCH was sent. Initiator: it came, and this end wants to as well
  bool peer_switched_ = false;  // a message by the channel came
};

}  // namespace gssipsec::mech
