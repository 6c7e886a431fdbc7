// SPDX-License-Identifier: MIT
#include "mech_ipsec/seal.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <algorithm>

namespace gssipsec::mech {
namespace {

using base::Result;
using base::Secret;
using base::View;

const unsigned char* octets(View view) { return reinterpret_cast<const unsigned char*>(view.data()); }
unsigned char* octets(std::span<std::byte> span) { return reinterpret_cast<unsigned char*>(span.data()); }

base::Error failed(const char* what) { return base::fail(base::Code::INTERNAL, std::string(what) + " failed"); }

struct FreeKdf {
  void operator()(EVP_KDF* kdf) const noexcept { EVP_KDF_free(kdf); }
  void operator()(EVP_KDF_CTX* context) const noexcept { EVP_KDF_CTX_free(context); }
};
struct FreeMac {
  void operator()(EVP_MAC* mac) const noexcept { EVP_MAC_free(mac); }
};
struct FreeCipher {
  void operator()(EVP_CIPHER* cipher) const noexcept { EVP_CIPHER_free(cipher); }
};

// An empty octet string for OpenSSL needs a pointer all the same.
OSSL_PARAM octet_param(const char* name, View data) {
  static constexpr unsigned char kNothing = 0;
  const unsigned char* at = data.empty() ? &kNothing : octets(data);
  return OSSL_PARAM_construct_octet_string(name, const_cast<unsigned char*>(at), data.size());
}

Result<Secret> hkdf(int mode, View key, const char* extra_name, View extra) {
  const std::unique_ptr<EVP_KDF, FreeKdf> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  const std::unique_ptr<EVP_KDF_CTX, FreeKdf> context(kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr);
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
                               OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
                               octet_param(OSSL_KDF_PARAM_KEY, key), octet_param(extra_name, extra), OSSL_PARAM_construct_end()};
  Secret out(kKeySize);
  if (!context || EVP_KDF_derive(context.get(), octets(out.bytes()), out.size(), params) != 1) return failed("HKDF");
  return out;
}

bool update(EVP_CIPHER_CTX* context, View in, unsigned char* out) noexcept {
  int written = 0;
  return in.empty() || EVP_CipherUpdate(context, out, &written, octets(in), static_cast<int>(in.size())) == 1;
}

bool begin(EVP_CIPHER_CTX* context, const Nonce& nonce, View header, Views signed_only) noexcept {
  return EVP_CipherInit_ex2(context, nullptr, nullptr, octets(View(nonce)), -1, nullptr) == 1 && update(context, header, nullptr) &&
         std::ranges::all_of(signed_only, [context](View part) { return update(context, part, nullptr); });
}

bool update(EVP_CIPHER_CTX* context, Pieces message) noexcept {
  return std::ranges::all_of(message, [context](const Piece& piece) { return update(context, piece.in, reinterpret_cast<unsigned char*>(piece.out)); });
}

bool end(EVP_CIPHER_CTX* context) noexcept {
  unsigned char none[16];
  int written = 0;
  return EVP_CipherFinal_ex(context, none, &written) == 1;
}

}  // namespace

Result<Digest> sha256(View data) {
  Digest out;
  unsigned size = 0;
  if (EVP_Digest(octets(data), data.size(), octets(std::span<std::byte>(out)), &size, EVP_sha256(), nullptr) != 1) return failed("SHA-256");
  return out;
}

Result<Secret> hkdf_extract(View salt, View key) { return hkdf(EVP_KDF_HKDF_MODE_EXTRACT_ONLY, key, OSSL_KDF_PARAM_SALT, salt); }
Result<Secret> hkdf_expand(View prk, View info) { return hkdf(EVP_KDF_HKDF_MODE_EXPAND_ONLY, prk, OSSL_KDF_PARAM_INFO, info); }

void Mac::Free::operator()(evp_mac_ctx_st* context) const noexcept { EVP_MAC_CTX_free(context); }
Mac::Mac(Mac&&) noexcept = default;
Mac::~Mac() = default;

Result<Mac> Mac::make(View key) {
  const std::unique_ptr<EVP_MAC, FreeMac> hmac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  Mac mac(hmac ? EVP_MAC_CTX_new(hmac.get()) : nullptr);
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  if (!mac.context_ || EVP_MAC_init(mac.context_.get(), octets(key), key.size(), params) != 1) return failed("HMAC");
  return mac;
}

bool Mac::compute(std::initializer_list<View> parts, Views rest, Digest& out) noexcept {
  if (EVP_MAC_init(context_.get(), nullptr, 0, nullptr) != 1) return false;
  const auto add = [this](View part) { return part.empty() || EVP_MAC_update(context_.get(), octets(part), part.size()) == 1; };
  if (!std::ranges::all_of(parts, add) || !std::ranges::all_of(rest, add)) return false;
  std::size_t size = 0;
  return EVP_MAC_final(context_.get(), octets(std::span<std::byte>(out)), &size, out.size()) == 1 && size == out.size();
}

void Aead::Free::operator()(evp_cipher_ctx_st* context) const noexcept { EVP_CIPHER_CTX_free(context); }
Aead::Aead(Aead&&) noexcept = default;
Aead::~Aead() = default;

Result<Aead> Aead::make(View key, Use use) {
  Aead aead(EVP_CIPHER_CTX_new());
  const std::unique_ptr<EVP_CIPHER, FreeCipher> cipher(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
  if (!cipher || !aead.context_ || key.size() != kKeySize ||
      EVP_CipherInit_ex2(aead.context_.get(), cipher.get(), octets(key), nullptr, use == Use::seal ? 1 : 0, nullptr) != 1)
    return failed("AES-256-GCM");
  return aead;
}

bool Aead::seal(const Nonce& nonce, View header, Views signed_only, Pieces message, std::span<std::byte, kSealTag> tag) noexcept {
  return begin(context_.get(), nonce, header, signed_only) && update(context_.get(), message) && end(context_.get()) &&
         EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, kSealTag, tag.data()) == 1;
}

bool Aead::open(const Nonce& nonce, View header, Views signed_only, Pieces message, View tag) noexcept {
  const bool good = tag.size() == kSealTag && begin(context_.get(), nonce, header, signed_only) && update(context_.get(), message) &&
                    EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, kSealTag, const_cast<std::byte*>(tag.data())) == 1 &&
                    end(context_.get());
  for (const Piece& piece : message)
    if (!good && !piece.in.empty()) explicit_bzero(piece.out, piece.in.size());
  return good;
}

}  // namespace gssipsec::mech
