// SPDX-License-Identifier: MIT
#include "mech_ipsec/token.h"

#include <algorithm>

#include "mech_ipsec/oids.h"
#include "protocol/messages.h"

namespace gssipsec::mech {
namespace {

using base::Code;

constexpr std::uint8_t kTokenVersion = 1;

base::Error broken(std::string what) { return base::fail(Code::BAD_TOKEN, std::move(what)); }

base::Error too_long(std::size_t size) {
  return base::fail(Code::TOKEN_TOO_LONG, "wanted at most " + std::to_string(kMaxToken) + " octets, found " + std::to_string(size));
}

void read_body(base::Reader& in, ContextToken& token) {
  switch (token.type) {
    case TokenType::hello: case TokenType::reply: {
      const base::View sealed = in.block16(protocol::kMaxSealed);
      if (sealed.empty()) in.mark_failed();
      token.sealed.assign(sealed.begin(), sealed.end());
      return;
    }
    case TokenType::retry: return;
    case TokenType::confirm: case TokenType::last_but_one: case TokenType::finish: return in.array(token.proof);
    case TokenType::error: token.code = in.u32(); return;
    case TokenType::none: break;
  }
  in.mark_failed();
}

// A length of DER in its one shortest form.
std::size_t der_length(base::Reader& in) {
  const std::uint8_t first = in.u8();
  if (first < 0x80) return first;
  const std::size_t length = first == 0x81 ? in.u8() : first == 0x82 ? in.u16() : 0;
  if ((first != 0x81 && first != 0x82) || length < (first == 0x81 ? 0x80u : 0x100u)) in.mark_failed();
  return length;
}

void put_der_length(base::Writer& out, std::size_t length) {
  if (length < 0x80) out.u8(static_cast<std::uint8_t>(length));
  else if (length < 0x100) out.u8(0x81).u8(static_cast<std::uint8_t>(length));
  else out.u8(0x82).u16(static_cast<std::uint16_t>(length));
}

}  // namespace

const char* token_name(TokenType type) noexcept {
  switch (type) {
    case TokenType::none: break;
    case TokenType::hello: return "HELLO";
    case TokenType::retry: return "RETRY";
    case TokenType::reply: return "REPLY";
    case TokenType::error: return "ERROR";
    case TokenType::confirm: return "CONFIRM";
    case TokenType::last_but_one: return "LAST BUT ONE";
    case TokenType::finish: return "FINISH";
  }
  return "no token";
}

base::Bytes encode(const ContextToken& token) {
  base::Writer out;
  out.u8(static_cast<std::uint8_t>(token.type)).u8(kTokenVersion);
  if (token.type == TokenType::hello || token.type == TokenType::reply) out.block16(token.sealed);
  if (token.type >= TokenType::confirm) out.raw(token.proof);
  if (token.type == TokenType::error) out.u32(token.code);
  return std::move(out).take();
}

base::Result<ContextToken> decode_token(base::View octets) {
  if (octets.size() > kMaxToken) return too_long(octets.size());
  base::Reader in(octets);
  ContextToken token;
  token.type = static_cast<TokenType>(in.u8());
  const std::uint8_t version = in.u8();
  if (!in.failed() && version != kTokenVersion) return base::fail(Code::TOKEN_VERSION, "wanted 1, found " + std::to_string(version));
  read_body(in, token);
  if (!in.done()) return broken("context token of " + std::to_string(octets.size()) + " octets");
  return token;
}

base::Bytes frame(base::View token) {
  base::Writer out;
  out.u8(0x60);
  put_der_length(out, 2 + kMechanism.size() + token.size());
  out.u8(0x06).u8(kMechanism.size()).raw(std::as_bytes(std::span(kMechanism))).raw(token);
  return std::move(out).take();
}

base::Result<base::View> unframe(base::View framed) {
  if (framed.size() > kMaxToken) return too_long(framed.size());
  base::Reader in(framed);
  const bool tagged = in.u8() == 0x60;
  const base::View content = in.take(der_length(in));
  base::Reader inside(content);
  const bool named = inside.u8() == 0x06 && inside.u8() == kMechanism.size() &&
                     std::ranges::equal(inside.take(kMechanism.size()), std::as_bytes(std::span(kMechanism)));
  if (!tagged || !in.done() || !named || inside.failed()) return broken("wanted a first token of mechanism ipsec");
  return inside.take(inside.left());
}

bool is_framed_for(base::View mechanism, base::View token) noexcept {
  base::Reader in(token);
  if (in.u8() != 0x60) return false;
  const std::uint8_t length = in.u8();
  if (length & 0x80) (void)in.take(length & 0x7f);
  const bool named = in.u8() == 0x06 && in.u8() == mechanism.size() && std::ranges::equal(in.take(mechanism.size()), mechanism);
  return named && !in.failed();
}

}  // namespace gssipsec::mech
