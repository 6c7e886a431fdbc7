// SPDX-License-Identifier: MIT
#include "channel/exporter.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <memory>

#include "channel/quality.h"

namespace gssipsec::channel {
namespace {

using base::Code;
using base::Secret;
using base::View;

constexpr std::uint8_t kKeymatVersion = 1;
constexpr std::string_view kSalt = "ipsec-gss exporter v1";

const unsigned char* octets(View data) { return reinterpret_cast<const unsigned char*>(data.data()); }
unsigned char* octets(std::span<std::byte> data) { return reinterpret_cast<unsigned char*>(data.data()); }

OSSL_PARAM octet_param(const char* name, View data) {
  // OpenSSL's parameters are not const, but inputs are not written.
  static std::byte nothing{};  // a null pointer is refused even where the length is 0
  return OSSL_PARAM_construct_octet_string(name, data.empty() ? &nothing : const_cast<std::byte*>(data.data()), data.size());
}

base::Result<Secret> hkdf(int mode, View key, View salt, View info, std::size_t length) {
  const std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr), EVP_KDF_free);
  const std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context(kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr, EVP_KDF_CTX_free);
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode), OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
                               octet_param(OSSL_KDF_PARAM_KEY, key), octet_param(OSSL_KDF_PARAM_SALT, salt), octet_param(OSSL_KDF_PARAM_INFO, info),
                               OSSL_PARAM_construct_end()};
  Secret out(length);
  if (!context || EVP_KDF_derive(context.get(), octets(out.bytes()), length, params) != 1) return base::fail(Code::INTERNAL, "HKDF failed");
  return out;
}

bool all_zero(View data) {
  return std::ranges::all_of(data, [](std::byte octet) { return octet == std::byte{0}; });
}

Sa as_sa(const SaKeys& keys) {
  Sa sa;
  sa.id = keys.id;
  sa.aead = keys.aead;
  sa.encryption = keys.encryption;
  sa.authentication = keys.authentication;
  return sa;
}

base::Status usable(const SaKeys& keys) {
  const Quality quality = quality_of(as_sa(keys));
  const bool no_cipher_key = quality.confidentiality || !keys.aead.name.empty() ? keys.encryption_key.empty() : false;
  const bool no_mac_key = quality.integrity && keys.aead.name.empty() && keys.authentication_key.empty();
  if (no_cipher_key || no_mac_key || (all_zero(keys.encryption_key.view()) && all_zero(keys.authentication_key.view())))
    return base::fail(Code::NO_KEYS, "wanted the keys of an SA, found none");
  if ((!keys.encryption_key.empty() && all_zero(keys.encryption_key.view())) || (!keys.authentication_key.empty() && all_zero(keys.authentication_key.view())))
    return base::fail(Code::NO_KEYS, "wanted the keys of an SA, found zeros");
  if (!quality.known || !quality.integrity) return base::fail(Code::WEAK_KEYS, "the algorithms of the SA are not known or give no integrity");
  if (quality.key_bits < kMinimumKeyBits)
    return base::fail(Code::WEAK_KEYS, "wanted keys of 128 bits or more, found " + std::to_string(quality.key_bits));
  return {};
}

// One SA's part of KEYMAT. The transform numbers stand for "algorithm name as IKE's transform ids".
void put(base::Writer& out, const SaKeys& keys) {
  const Quality quality = quality_of(as_sa(keys));
  out.u8(keys.id.protocol).u16(quality.encryption_transform).u16(quality.integrity_transform);
  out.block32(keys.encryption_key.view()).block32(keys.authentication_key.view());
}

base::Result<Secret> digest(View data) {
  Secret out(32);
  unsigned size = 32;
  if (EVP_Digest(octets(data), data.size(), octets(out.bytes()), &size, EVP_sha256(), nullptr) != 1) return base::fail(Code::INTERNAL, "SHA-256 failed");
  return out;
}

}  // namespace

base::Result<Exporter> Exporter::make(const SaKeys& to_acceptor, const SaKeys& to_initiator) {
  for (const SaKeys* keys : {&to_acceptor, &to_initiator})
    if (const base::Status status = usable(*keys); !status.ok()) return status.error();
  base::Writer writer;
  writer.u8(kKeymatVersion);
  put(writer, to_acceptor);
  put(writer, to_initiator);
  base::Bytes keymat = std::move(writer).take();
  auto prk = hkdf(EVP_KDF_HKDF_MODE_EXTRACT_ONLY, keymat, base::view_of(kSalt), {}, 32);
  base::wipe(keymat);
  if (!prk.ok()) return prk.error();
  auto id = hmac_sha256(prk->view(), base::view_of("keymat id v1"));
  if (!id.ok()) return id.error();
  return Exporter(std::move(*prk), std::move(*id));
}

base::Result<Secret> Exporter::derive(std::string_view label, std::uint8_t role, const FlowLabel& flow, View context, std::size_t length) const {
  base::Writer info;
  info.raw(label).u8(0).u8(role).block32(encode(flow)).block32(context);
  return hkdf(EVP_KDF_HKDF_MODE_EXPAND_ONLY, prk_.view(), {}, info.bytes(), length);
}

Exporter Exporter::copy() const { return Exporter(prk_.copy(), id_.copy()); }

base::Result<Secret> selection_tag(const SaKeys& keys) {
  if (const base::Status status = usable(keys); !status.ok()) return status.error();
  base::Writer writer;
  put(writer, keys);
  base::Bytes key = std::move(writer).take();
  auto tag = hmac_sha256(key, base::view_of("select v1"));
  base::wipe(key);
  return tag;
}

base::Result<Secret> hmac_sha256(View key, View data) {
  Secret out(kMacSize);
  std::size_t size = 0;
  if (EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, octets(key), key.size(), octets(data), data.size(), octets(out.bytes()), out.size(), &size) == nullptr)
    return base::fail(Code::INTERNAL, "HMAC failed");
  return out;
}

base::Result<base::Bytes> sha256(View data) {
  auto hash = digest(data);
  if (!hash.ok()) return hash.error();
  return base::Bytes(hash->view().begin(), hash->view().end());
}

}  // namespace gssipsec::channel
