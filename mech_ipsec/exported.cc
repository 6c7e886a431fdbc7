// SPDX-License-Identifier: MIT
#include "mech_ipsec/exported.h"

namespace gssipsec::mech {
namespace {

using base::Code;
using base::fail;

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kHeader = 1 + 32 + 8, kMaxExported = 16384;
enum StateBit : std::uint8_t { kAcceptor = 1, kBound = 2, kAskedMutual = 4 };

base::Error broken(std::size_t size) { return fail(Code::BAD_TOKEN, "exported context of " + std::to_string(size) + " octets"); }

// Channel and key have one form already, that of FINISH's answer.
base::Bytes channel_and_key(const ContextState& state) {
  protocol::FinishReply body;
  body.session_key = state.progress.prk.copy();
  body.bindings_match = state.bound;
  body.channel = state.channel;
  return protocol::encode(body);
}

void take_numbers(base::Reader& in, ContextState& state) {
  const std::uint8_t bits = in.u8(), seal = in.u8();
  state.role = bits & kAcceptor ? channel::Role::acceptor : channel::Role::initiator;
  state.initiator_asked_mutual = bits & kAskedMutual;
  state.seal = static_cast<protocol::Seal>(seal);
  state.want = in.u32();
  state.expires = static_cast<std::int64_t>(in.u64());
  in.array(state.progress.id);
  state.progress.sent = in.u64();
  state.progress.window_next = in.u64();
  state.progress.window_seen = in.u64();
  const Progress& progress = state.progress;
  if ((bits & ~(kAcceptor | kAskedMutual)) || seal > 2 || state.expires < 0 || progress.sent > kMaxSequence || progress.window_next > kMaxSequence)
    in.mark_failed();
}

}  // namespace

base::Bytes encode(const ContextState& state) {
  base::Bytes body = channel_and_key(state);
  base::Writer out;
  out.reserve(128 + body.size());
  const int bits = (state.role == channel::Role::acceptor ? kAcceptor : 0) | (state.initiator_asked_mutual ? kAskedMutual : 0);
  out.u8(static_cast<std::uint8_t>(bits)).u8(static_cast<std::uint8_t>(state.seal)).u32(state.want);
  out.u64(static_cast<std::uint64_t>(state.expires)).raw(state.progress.id).u64(state.progress.sent);
  out.u64(state.progress.window_next).u64(state.progress.window_seen).raw(body);
  base::wipe(body);
  return std::move(out).take();
}

base::Result<ContextState> decode_state(base::View octets) {
  base::Reader in(octets);
  ContextState state;
  take_numbers(in, state);
  auto body = protocol::decode_finish_reply(in.take(in.left()));
  if (in.failed() || !body) return broken(octets.size());
  state.bound = body->bindings_match;
  state.channel = std::move(body->channel);
  state.progress.prk = std::move(body->session_key);
  return state;
}

base::Result<ExportedContext> decode_exported(base::View octets) {
  base::Reader in(octets);
  ExportedContext exported;
  const std::uint8_t version = in.u8();
  in.array(exported.id);
  exported.cookie = in.u64();
  if (in.failed() || in.left() < kSealTag || octets.size() > kMaxExported) return broken(octets.size());
  if (version != kVersion) return fail(Code::TOKEN_VERSION, "wanted 1, found " + std::to_string(version));
  exported.header = octets.first(kHeader);
  exported.body = in.take(in.left() - kSealTag);
  exported.tag = in.take(kSealTag);
  return exported;
}

base::Result<base::Bytes> seal_exported(const Digest& id, std::uint64_t cookie, base::View key, const ContextState& state) {
  auto cipher = Aead::make(key, Aead::Use::seal);
  if (!cipher) return cipher.error();
  base::Writer header;
  header.u8(kVersion).raw(id).u64(cookie);
  base::Bytes plain = encode(state), token = header.bytes();
  token.resize(kHeader + plain.size() + kSealTag);
  const Piece piece{plain, token.data() + kHeader};
  const bool sealed = cipher->seal(Nonce{}, header.bytes(), {}, {&piece, 1}, std::span(token).last<kSealTag>());
  base::wipe(plain);
  if (!sealed || token.size() > kMaxExported) return fail(Code::INTERNAL, "the context could not be sealed");
  return token;
}

base::Result<ContextState> open_exported(const ExportedContext& exported, base::View key) {
  auto cipher = Aead::make(key, Aead::Use::open);
  if (!cipher) return cipher.error();
  base::Secret plain(exported.body.size());
  const Piece piece{exported.body, plain.bytes().data()};
  if (!cipher->open(Nonce{}, exported.header, {}, {&piece, 1}, exported.tag)) return fail(Code::BAD_MAC, "the exported context was changed");
  return decode_state(plain.view());
}

}  // namespace gssipsec::mech
