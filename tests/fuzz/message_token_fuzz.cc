// SPDX-License-Identifier: MIT
// Message tokens: the parts of what is read are the whole of what was given, and no key opens them.
#include <cstdint>
#include <cstdlib>

#include "mech_ipsec/protection.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gssipsec;
  static auto end = mech::Protection::make(base::Bytes(32), mech::Digest{}, mech::Direction::from_acceptor, *mech::SendCounter::make());
  const base::View octets(reinterpret_cast<const std::byte*>(data), size);
  const auto token = mech::decode_message(octets);
  if (!token.ok()) return 0;
  if (token->head.header.size() + token->head.tag.size() + token->body.size() != size) std::abort();
  base::Bytes message(token->body.size());
  const mech::Piece piece{token->body, message.data()};
  if (end->open(token->head, {{}, {&piece, 1}}).ok() || end->check_mic(token->head, {&octets, 1}).ok()) std::abort();
  return 0;
}
