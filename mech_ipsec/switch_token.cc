// SPDX-License-Identifier: MIT
#include "mech_ipsec/switch_token.h"

#include <algorithm>

#include "mech_ipsec/message.h"

namespace gssipsec::mech {
namespace {

using base::Code;

constexpr std::uint8_t kSwitchVersion = 1;
constexpr std::uint8_t kAcceptorSends = 2;  // no initiator ever does

}  // namespace

Kind kind_of(base::View token) noexcept {
  switch (token.empty() ? 0 : std::to_integer<std::uint8_t>(token.front())) {
    case kSwitchType: return Kind::offer;
    case static_cast<std::uint8_t>(MessageType::channel):
    case static_cast<std::uint8_t>(MessageType::sealed): return Kind::channel;
    default: return Kind::kerberos;
  }
}

base::Result<Digest> switch_proof(base::View key, const SwitchFacts& facts, std::uint64_t sequence) {
  base::Writer said;
  said.raw("switch v1").u8(kAcceptorSends).raw(facts.binding).raw(facts.transcript).u64(sequence);
  auto mac = Mac::make(key);
  if (!mac) return mac.error();
  Digest proof;
  if (!mac->compute({said.bytes()}, proof)) return base::fail(Code::INTERNAL, "OpenSSL failed");
  return proof;
}

void encode_switch(const SwitchToken& token, std::span<std::byte, kSwitchHeader> out) {
  base::Writer octets;
  octets.u8(kSwitchType).u8(kSwitchVersion).u64(token.sequence).raw(token.proof);
  std::ranges::copy(octets.bytes(), out.begin());
}

base::Result<SwitchToken> decode_switch(base::View octets) {
  base::Reader in(octets);
  SwitchToken token;
  const std::uint8_t type = in.u8(), version = in.u8();
  if (!in.failed() && type == kSwitchType && version != kSwitchVersion)
    return base::fail(Code::TOKEN_VERSION, "wanted 1, found " + std::to_string(version));
  token.sequence = in.u64();
  in.array(token.proof);
  if (in.failed() || type != kSwitchType || token.sequence >= kMaxSequence)
    return base::fail(Code::BAD_TOKEN, "SWITCH of " + std::to_string(octets.size()) + " octets");
  return token;
}

}  // namespace gssipsec::mech
