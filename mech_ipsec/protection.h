// SPDX-License-Identifier: MIT
// Per-message protection of one established context: keys, counters, tokens. Knows nothing of latches: which kind of token
// is allowed now is the context's decision. No memory is allocated here for a message; the caller gives the room.
// Threads: under the context's lock. Failures: BAD_MIC, WRONG_ROLE (a token of one's own direction), LIMIT, BAD_TOKEN.
#pragma once

#include "mech_ipsec/message.h"
#include "mech_ipsec/seal.h"
#include "mech_ipsec/sequence.h"

namespace gssipsec::mech {

// A message: what is only signed, because it travels elsewhere, and the pieces that are sent. Signed-only octets are covered
// by MAC and tag alike, whatever the quality of protection.
struct Message {
  Views signed_only;
  Pieces pieces;
  [[nodiscard]] std::size_t size() const noexcept;
};

// Where a context stands: enough to go on with it elsewhere.
struct Progress {
  base::Secret prk;  // 32 octets
  Digest id{};       // of the context
  std::uint64_t sent = 0, window_next = 0, window_seen = 0;
};

class Protection {
 public:
  // `sends`: the direction of this end. Keys: HKDF-SHA256 with the context id as salt, one for each use and direction.
  [[nodiscard]] static base::Result<Protection> make(base::View session_key, const Digest& context_id, Direction sends);

  // Goes on where another one left.
  [[nodiscard]] static base::Result<Protection> resume(const Progress& progress, Direction sends);
  // Afterwards nothing can be sent, in no process that shares the counter.
  [[nodiscard]] Progress leave();

  // `type` is channel or sealed. `head` is what stands before the message's outcome.
  [[nodiscard]] base::Status put(MessageType type, const Message& message, std::span<std::byte, kWrapOverhead> head);
  [[nodiscard]] base::Status put_mic(Views message, std::span<std::byte, kMicSize> token);

  // The pieces are as long together as the token says (BAD_TOKEN). A failure leaves no plaintext in their outcome.
  [[nodiscard]] base::Result<Order> open(const MessageToken& token, const Message& message);
  [[nodiscard]] base::Result<Order> check_mic(const MessageToken& token, Views message);

  // RFC 4401. FULL and PARTIAL have keys of their own.
  [[nodiscard]] base::Status pseudo_random(bool full, base::View input, std::span<std::byte> out);
  // A key of 32 octets for the application, which serves no other use here.
  [[nodiscard]] base::Result<base::Secret> application_key() const;

 private:
  struct Keys {
    Mac channel, mic;
    Aead sealed;
  };
  [[nodiscard]] static base::Result<Keys> keys_for(base::View prk, Direction direction, Aead::Use use);
  Protection(base::Secret prk, const Digest& id, Direction sends, Keys out, Keys in, Mac full, Mac partial, SendCounter counter);

  [[nodiscard]] base::Result<MessageHeader> next_header(MessageType type, std::size_t size);
  [[nodiscard]] base::Status from_peer(const MessageToken& token) const;

  base::Secret prk_;
  Digest id_;
  Direction sends_;
  Keys out_, in_;
  Mac prf_full_, prf_partial_;
  SendCounter counter_;
  ReceiveWindow window_;
};

}  // namespace gssipsec::mech
