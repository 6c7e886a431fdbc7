// SPDX-License-Identifier: MIT
#include "channel/handshake.h"

namespace gssipsec::channel {
namespace {

using base::View;

constexpr std::size_t kHandshakeKey = 32;

// One block of HKDF-Expand is this with a counter; labels end in NUL, so none is the beginning of another.
base::Result<base::Secret> labelled(View key, std::string_view label, View context) {
  base::Writer info;
  info.raw(label).u8(0).raw(context);
  return hmac_sha256(key, info.bytes());
}

}  // namespace

base::Result<base::Secret> handshake_key(const Exporter& exporter, const Assertion& hello) {
  return exporter.derive("handshake", 0, hello.flow, hello.nonce, kHandshakeKey);
}

base::Result<base::Bytes> seal_reply(const Assertion& reply, View handshake_key) {
  const auto key = labelled(handshake_key, "reply v1", {});
  return key.ok() ? seal(reply, key->view()) : base::Result<base::Bytes>(key.error());
}

base::Result<Assertion> open_reply(View sealed, View handshake_key) {
  const auto key = labelled(handshake_key, "reply v1", {});
  return key.ok() ? open(sealed, key->view()) : base::Result<Assertion>(key.error());
}

base::Result<base::Secret> session_key(View handshake_key, const Assertion& reply) { return labelled(handshake_key, "session v1", reply.nonce); }

base::Result<base::Secret> confirmation(View session_key, const Digest& transcript) { return labelled(session_key, "confirm v1", transcript); }

base::Result<bool> compare_bindings(const Digest& ours, const Digest& theirs) {
  if (ours == Digest{} || theirs == Digest{}) return false;
  if (base::equal_secret(ours, theirs)) return true;
  return base::fail(base::Code::BAD_BINDINGS);
}

}  // namespace gssipsec::channel
