// SPDX-License-Identifier: MIT
// Per-message protection of one established context: keys, counters, tokens. Knows nothing of latches: which kind of token
// is allowed now is the context's decision. No memory is allocated here for a message; the caller gives the room.
// Threads: under the context's lock. Failures: BAD_MIC, WRONG_ROLE (a token of one's own direction), LIMIT, BAD_TOKEN.
#pragma once

#include "mech_ipsec/message.h"
#include "mech_ipsec/seal.h"
#include "mech_ipsec/sequence.h"

namespace gssipsec::mech {

class Protection {
 public:
  // `sends`: the direction of this end. Keys: HKDF-SHA256 with the context id as salt, one for each use and direction.
  [[nodiscard]] static base::Result<Protection> make(base::View session_key, const Digest& context_id, Direction sends);

  // `token` has room for message.size() + kWrapOverhead octets.
  [[nodiscard]] base::Status put_channel(base::View message, std::span<std::byte> token);
  [[nodiscard]] base::Status put_sealed(base::View message, std::span<std::byte> token);
  [[nodiscard]] base::Status put_mic(base::View message, std::span<std::byte, kMicSize> token);

  // `message` has room for token.body.size() octets, which are the message's. A failure leaves no plaintext in it.
  [[nodiscard]] base::Result<Order> open_channel(const MessageToken& token, std::span<std::byte> message);
  [[nodiscard]] base::Result<Order> open_sealed(const MessageToken& token, std::span<std::byte> message);
  [[nodiscard]] base::Result<Order> check_mic(const MessageToken& token, base::View message);

  // RFC 4401. FULL and PARTIAL have keys of their own.
  [[nodiscard]] base::Status pseudo_random(bool full, base::View input, std::span<std::byte> out);

 private:
  struct Keys {
    Mac channel, mic;
    Aead sealed;
  };
  [[nodiscard]] static base::Result<Keys> keys_for(Mac& prk, Direction direction, Aead::Use use);
  Protection(const Digest& id, Direction sends, Keys out, Keys in, Mac full, Mac partial, SendCounter counter);

  [[nodiscard]] base::Status expect(const MessageToken& token, MessageType type) const;
  [[nodiscard]] base::Result<MessageHeader> next_header(MessageType type, base::View message);

  Digest id_;
  Direction sends_;
  Keys out_, in_;
  Mac prf_full_, prf_partial_;
  SendCounter counter_;
  ReceiveWindow window_;
};

}  // namespace gssipsec::mech
