// SPDX-License-Identifier: MIT
#include "mech_ipsec/seal.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <climits>
#include <string_view>

namespace gssipsec::mech {
namespace {

using base::Code;
using base::Secret;
using base::View;

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
using Kdf = std::unique_ptr<EVP_KDF, Deleter<EVP_KDF_free>>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, Deleter<EVP_KDF_CTX_free>>;
using Mac = std::unique_ptr<EVP_MAC, Deleter<EVP_MAC_free>>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, Deleter<EVP_MAC_CTX_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Deleter<EVP_CIPHER_CTX_free>>;

const unsigned char* octets(View data) { return reinterpret_cast<const unsigned char*>(data.data()); }
unsigned char* octets(std::span<std::byte> data) { return reinterpret_cast<unsigned char*>(data.data()); }

base::Error crypto_failed(const char* what) { return base::fail(Code::INTERNAL, what); }

OSSL_PARAM octet_param(const char* name, View data) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<std::byte*>(data.data()), data.size());
}

base::Result<Secret> derive_key(View session_key, View context_id, std::string_view label, std::uint8_t direction) {
  const Kdf kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  const KdfContext context(kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr);
  base::Writer info;
  info.raw(label).u8(0).u8(direction);
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0), octet_param(OSSL_KDF_PARAM_KEY, session_key),
                               octet_param(OSSL_KDF_PARAM_SALT, context_id), octet_param(OSSL_KDF_PARAM_INFO, info.bytes()), OSSL_PARAM_construct_end()};
  Secret key(32);
  if (!context || EVP_KDF_derive(context.get(), octets(key.bytes()), key.size(), params) != 1) return crypto_failed("HKDF");
  return key;
}

base::Result<MacContext> make_mac(View key) {
  const Mac mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  MacContext context(mac ? EVP_MAC_CTX_new(mac.get()) : nullptr);
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  if (!context || EVP_MAC_init(context.get(), octets(key), key.size(), params) != 1) return crypto_failed("HMAC");
  return context;
}

base::Result<CipherContext> make_cipher(View key, bool sealing) {
  CipherContext context(EVP_CIPHER_CTX_new());
  if (!context || EVP_CipherInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, octets(key), nullptr, sealing) != 1) return crypto_failed("AES-256-GCM");
  return context;
}

std::array<unsigned char, 12> nonce_of(std::uint64_t sequence) {
  std::array<unsigned char, 12> nonce{};
  for (unsigned i = 0; i < 8; ++i) nonce[4 + i] = static_cast<unsigned char>(sequence >> (56 - 8 * i));
  return nonce;
}

// One pass of GCM over header and text; `out` may be where `in` is not.
bool run(EVP_CIPHER_CTX* context, std::uint64_t sequence, View header, View in, std::span<std::byte> out, int sealing) {
  const auto nonce = nonce_of(sequence);
  int size = 0;
  return in.size() <= INT_MAX && EVP_CipherInit_ex(context, nullptr, nullptr, nullptr, nonce.data(), sealing) == 1 &&
         EVP_CipherUpdate(context, nullptr, &size, octets(header), static_cast<int>(header.size())) == 1 &&
         (in.empty() || EVP_CipherUpdate(context, octets(out), &size, octets(in), static_cast<int>(in.size())) == 1);
}

}  // namespace

struct DirectionKeys::Contexts {
  MacContext channel, mic;
  CipherContext sealing, opening;
};

DirectionKeys::DirectionKeys(std::unique_ptr<Contexts> contexts) : contexts_(std::move(contexts)) {}
DirectionKeys::DirectionKeys(DirectionKeys&&) noexcept = default;
DirectionKeys& DirectionKeys::operator=(DirectionKeys&&) noexcept = default;
DirectionKeys::~DirectionKeys() = default;

base::Result<DirectionKeys> DirectionKeys::derive(View session_key, View context_id, std::uint8_t direction) {
  const auto channel_key = derive_key(session_key, context_id, "channel token v1", direction);
  const auto mic_key = derive_key(session_key, context_id, "mic v1", direction);
  const auto seal_key = derive_key(session_key, context_id, "sealed token v1", direction);
  if (!channel_key.ok() || !mic_key.ok() || !seal_key.ok()) return crypto_failed("HKDF");
  auto channel = make_mac(channel_key->view()), mic = make_mac(mic_key->view());
  auto sealing = make_cipher(seal_key->view(), true), opening = make_cipher(seal_key->view(), false);
  if (!channel.ok() || !mic.ok() || !sealing.ok() || !opening.ok()) return crypto_failed("message keys");
  auto contexts = std::make_unique<Contexts>();
  contexts->channel = std::move(*channel);
  contexts->mic = std::move(*mic);
  contexts->sealing = std::move(*sealing);
  contexts->opening = std::move(*opening);
  return DirectionKeys(std::move(contexts));
}

base::Result<Tag> DirectionKeys::mac(Use use, View header, View message) {
  EVP_MAC_CTX* context = (use == Use::channel ? contexts_->channel : contexts_->mic).get();
  unsigned char full[32];
  std::size_t size = 0;
  // Without a key EVP_MAC_init starts over with the one it has.
  if (EVP_MAC_init(context, nullptr, 0, nullptr) != 1 || EVP_MAC_update(context, octets(header), header.size()) != 1 ||
      EVP_MAC_update(context, octets(message), message.size()) != 1 || EVP_MAC_final(context, full, &size, sizeof full) != 1)
    return crypto_failed("HMAC");
  Tag tag;
  std::ranges::copy(std::as_bytes(std::span(full)).first(kTagSize), tag.begin());
  return tag;
}

base::Result<Tag> DirectionKeys::seal(std::uint64_t sequence, View header, View plain, std::span<std::byte> out) {
  EVP_CIPHER_CTX* context = contexts_->sealing.get();
  unsigned char rest[16];
  int size = 0;
  Tag tag;
  if (!run(context, sequence, header, plain, out, 1) || EVP_CipherFinal_ex(context, rest, &size) != 1 ||
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagSize, tag.data()) != 1)
    return crypto_failed("AES-256-GCM");
  return tag;
}

base::Status DirectionKeys::open(std::uint64_t sequence, View header, View sealed, const Tag& tag, std::span<std::byte> out) {
  EVP_CIPHER_CTX* context = contexts_->opening.get();
  Tag wanted = tag;
  unsigned char rest[16];
  int size = 0;
  if (run(context, sequence, header, sealed, out, 0) && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagSize, wanted.data()) == 1 &&
      EVP_CipherFinal_ex(context, rest, &size) == 1)
    return {};
  // What was not verified must not be read by anybody.
  if (!out.empty()) explicit_bzero(out.data(), out.size());
  return base::fail(Code::BAD_MIC, "sealed message");
}

}  // namespace gssipsec::mech
