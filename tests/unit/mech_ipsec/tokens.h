// SPDX-License-Identifier: MIT
// Message tokens in one piece, for tests of what is made and read in pieces.
#pragma once

#include <stdexcept>

#include "mech_ipsec/protection.h"

namespace gssipsec::mech::testing {

inline void must(const base::Status& status) {
  if (!status) throw std::runtime_error(base::describe(status.error()));
}

inline Protection end_of(Direction sends) {
  auto made = Protection::make(base::Bytes(32, std::byte{7}), Digest{}, sends, *SendCounter::make());
  must(made.ok() ? base::Status() : made.error());
  return *std::move(made);
}

inline base::Bytes wrapped(Protection& from, MessageType type, base::View text, Views signed_only = {}) {
  base::Bytes token(kWrapOverhead + text.size());
  const Piece piece{text, token.data() + kWrapOverhead};
  must(from.put(type, {signed_only, {&piece, 1}}, std::span(token).first<kWrapOverhead>()));
  return token;
}

inline base::Bytes mic_of(Protection& from, base::View text) {
  base::Bytes token(kMicSize);
  must(from.put_mic({&text, 1}, std::span(token).first<kMicSize>()));
  return token;
}

inline base::Result<Order> opened(Protection& to, const WholeToken& token, std::span<std::byte> text, Views signed_only = {}) {
  const Piece piece{token.body, text.data()};
  return to.open(token.head, {signed_only, {&piece, 1}});
}

inline base::Result<Order> checked(Protection& to, const MessageToken& token, base::View text) { return to.check_mic(token, {&text, 1}); }

}  // namespace gssipsec::mech::testing
