// SPDX-License-Identifier: MIT
// The keys of one handshake (docs/protocol.md, Keys of a handshake). Both brokers derive the handshake key from the SAs and
// HELLO's nonce; the initiator's library is given it and so reads REPLY by itself. CONFIRM proves that whoever sent HELLO
// holds it now: a HELLO that was kept and sent again leads to no context. Pure.
#pragma once

#include "channel/assertion.h"

namespace gssipsec::channel {

// export("handshake", nonce of HELLO). For brokers, and the library that `hello` was made for.
[[nodiscard]] base::Result<base::Secret> handshake_key(const Exporter& exporter, const Assertion& hello);

// REPLY, sealed under a key of the handshake. BAD_MAC when another handshake's, or anybody else's.
[[nodiscard]] base::Result<base::Bytes> seal_reply(const Assertion& reply, base::View handshake_key);
[[nodiscard]] base::Result<Assertion> open_reply(base::View sealed, base::View handshake_key);

// Of both libraries, from here on.
[[nodiscard]] base::Result<base::Secret> session_key(base::View handshake_key, const Assertion& reply);
// What CONFIRM carries; `transcript`: of all tokens before it.
[[nodiscard]] base::Result<base::Secret> confirmation(base::View session_key, const Digest& transcript);

// Hashes of applications' channel bindings; zeros: none were given. False when one side gave none, BAD_BINDINGS when they differ.
[[nodiscard]] base::Result<bool> compare_bindings(const Digest& ours, const Digest& theirs);

}  // namespace gssipsec::channel
