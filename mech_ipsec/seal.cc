// SPDX-License-Identifier: MIT
#include "mech_ipsec/seal.h"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>

#include "channel/hmac.h"

namespace gssipsec::mech {
namespace {

using base::Result;
using base::Secret;
using base::View;

const unsigned char* octets(View view) { return reinterpret_cast<const unsigned char*>(view.data()); }
unsigned char* octets(std::span<std::byte> span) { return reinterpret_cast<unsigned char*>(span.data()); }

base::Error failed(const char* what) { return base::fail(base::Code::INTERNAL, std::string(what) + " failed"); }

struct FreeCipher {
  void operator()(EVP_CIPHER* cipher) const noexcept { EVP_CIPHER_free(cipher); }
};

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

Result<Secret> secret_of(Mac& mac, std::initializer_list<View> parts) {
  Digest block;
  const bool made = mac.compute(parts, block);
  Secret out(kKeySize);
  std::copy(block.begin(), block.end(), out.bytes().begin());
  explicit_bzero(block.data(), block.size());
  if (!made) return failed("HKDF");
  return out;
}

}  // namespace

Result<Digest> sha256(View data) {
  Digest out;
  unsigned size = 0;
  if (EVP_Digest(octets(data), data.size(), octets(std::span<std::byte>(out)), &size, EVP_sha256(), nullptr) != 1) return failed("SHA-256");
  return out;
}

// RFC 5869 2.2 and 2.3; 32 octets are the first block.
Result<Secret> hkdf_extract(View salt, View key) {
  auto mac = Mac::make(salt);
  if (!mac) return mac.error();
  return secret_of(*mac, {key});
}

Result<Secret> hkdf_expand(Mac& prk, View info) {
  constexpr std::byte kFirst{1};
  return secret_of(prk, {info, View(&kFirst, 1)});
}

void Mac::Free::operator()(evp_mac_ctx_st* context) const noexcept { EVP_MAC_CTX_free(context); }
Mac::Mac(Mac&&) noexcept = default;
Mac::~Mac() = default;

Result<Mac> Mac::make(View key) {
  Mac mac(channel::hmac_sha256_context().release());
  if (!mac.context_ || EVP_MAC_init(mac.context_.get(), octets(key), key.size(), nullptr) != 1) return failed("HMAC");
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
