// SPDX-License-Identifier: MIT
#include "mech_ipsec/exported.h"

namespace gssipsec::mech {
namespace {

using base::Code;
using base::fail;

constexpr std::uint8_t kExportedVersion = 1;
constexpr std::size_t kExportedHeader = 1 + 32 + 8, kMaxExported = 65536;

}  // namespace

base::Result<ExportedContext> decode_exported(base::View octets) {
  base::Reader in(octets);
  ExportedContext exported;
  const std::uint8_t version = in.u8();
  in.array(exported.id);
  exported.cookie = in.u64();
  if (in.failed() || in.left() < kSealTag || octets.size() > kMaxExported)
    return fail(Code::BAD_TOKEN, "an exported context of " + std::to_string(octets.size()) + " octets");
  if (version != kExportedVersion) return fail(Code::TOKEN_VERSION, "wanted an exported context of version 1, found " + std::to_string(version));
  exported.header = octets.first(kExportedHeader);
  exported.body = in.take(in.left() - kSealTag);
  exported.tag = in.take(kSealTag);
  return exported;
}

base::Result<base::Bytes> seal_exported(const Digest& id, std::uint64_t cookie, base::View key, const protocol::ContextState& state) {
  auto cipher = Aead::make(key, Aead::Use::seal);
  if (!cipher) return cipher.error();
  base::Writer header;
  header.u8(kExportedVersion).raw(id).u64(cookie);
  base::Bytes plain = protocol::encode(state), token = header.bytes();
  token.resize(kExportedHeader + plain.size() + kSealTag);
  const Piece piece{plain, token.data() + kExportedHeader};
  const bool sealed = cipher->seal(Nonce{}, header.bytes(), {}, {&piece, 1}, std::span(token).last<kSealTag>());
  base::wipe(plain);
  if (!sealed || token.size() > kMaxExported) return fail(Code::INTERNAL, "the context could not be sealed");
  return token;
}

base::Result<protocol::ContextState> open_exported(const ExportedContext& exported, base::View key) {
  auto cipher = Aead::make(key, Aead::Use::open);
  if (!cipher) return cipher.error();
  base::Secret plain(exported.body.size());
  const Piece piece{exported.body, plain.bytes().data()};
  if (!cipher->open(Nonce{}, exported.header, {}, {&piece, 1}, exported.tag)) return fail(Code::BAD_MAC, "the exported context was changed");
  return protocol::decode_context_state(plain.view());
}

}  // namespace gssipsec::mech
