// SPDX-License-Identifier: MIT
// Per-message protection of one established context: keys, counters, tokens. Knows nothing of latches: which kind of token
// is allowed now is the context's decision. Only the first message of its kind allocates memory here; the caller gives the room.
// Threads: under the context's lock. Failures: BAD_MIC, WRONG_ROLE (a token of one's own direction), LIMIT, BAD_TOKEN.
#pragma once

#include <optional>

#include "mech_ipsec/message.h"
#include "mech_ipsec/seal.h"
#include "mech_ipsec/sequence.h"
#include "protocol/messages.h"

namespace gssipsec::mech {

// A message: what is only signed, because it travels elsewhere, and the pieces that are sent. Signed-only octets are covered
// by MAC and tag alike, whatever the quality of protection.
struct Message {
  Views signed_only;
  Pieces pieces;
  [[nodiscard]] std::size_t size() const noexcept;
};

class Protection {
 public:
  // `sends`: the direction of this end. Keys: HKDF-SHA256 with the context id as salt, one for each use and direction.
  // The counter is older than any fork after which two processes go on with the exchange.
  [[nodiscard]] static base::Result<Protection> make(base::View session_key, const Digest& context_id, Direction sends, SendCounter counter);

  // How far the two directions have come, and what all keys come from: for another process. From now on this one sends nothing, nor
  // does any that was forked from it.
  void leave(protocol::ContextState& state);
  [[nodiscard]] static base::Result<Protection> resume(const protocol::ContextState& state);

  // `type` is channel or sealed. `head` is what stands before the message's outcome.
  [[nodiscard]] base::Status put(MessageType type, const Message& message, std::span<std::byte, kWrapOverhead> head);
  [[nodiscard]] base::Status put_mic(Views message, std::span<std::byte, kMicSize> token);

  // The pieces are as long together as the token says (BAD_TOKEN). A failure leaves no plaintext in their outcome.
  [[nodiscard]] base::Result<Order> open(const MessageToken& token, const Message& message);
  [[nodiscard]] base::Result<Order> check_mic(const MessageToken& token, Views message);

  // Messages that went another way: their numbers are used up, so that what is missing before the next one is told.
  [[nodiscard]] base::Result<std::uint64_t> pass_number() noexcept { return counter_.next(); }
  void expect_next() noexcept { window_.skip(); }

  // For the application's own use, and for no other.
  [[nodiscard]] base::Result<base::Secret> application_key();
  // RFC 4401. FULL and PARTIAL have keys of their own.
  [[nodiscard]] base::Status pseudo_random(bool full, base::View input, std::span<std::byte> out);

 private:
  // Made with the first message that needs them: most contexts need few.
  struct Keys {
    std::optional<Mac> channel, mic;
    std::optional<Aead> sealed;
  };
  Protection(const Digest& id, Direction sends, base::Secret secret, Mac prk, SendCounter counter);
  [[nodiscard]] static base::Result<Protection> from(base::Secret secret, const Digest& id, Direction sends, SendCounter counter);
  // HMAC under the key of this use, made if it is not there; false when OpenSSL fails.
  [[nodiscard]] bool compute(std::optional<Mac>& key, std::string_view label, std::uint8_t direction, std::initializer_list<base::View> parts, Views rest,
                             Digest& out);
  [[nodiscard]] Aead* cipher(Keys& keys, Direction direction, Aead::Use use);

  [[nodiscard]] base::Status from_peer(const MessageToken& token) const;
  [[nodiscard]] base::Result<MessageHeader> next_header(MessageType type, std::size_t size);

  Digest id_;
  Direction sends_;
  base::Secret secret_;  // of prk_
  Mac prk_;
  Keys out_, in_;
  std::optional<Mac> prf_full_, prf_partial_;
  SendCounter counter_;
  ReceiveWindow window_;
};

}  // namespace gssipsec::mech
