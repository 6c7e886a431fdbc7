// SPDX-License-Identifier: MIT
#include "channel/exporter.h"

#include <openssl/evp.h>

#include <algorithm>

#include "channel/hmac.h"
#include "channel/quality.h"

namespace gssipsec::channel {
namespace {

using base::Code;
using base::Secret;
using base::View;

constexpr std::uint8_t kKeymatVersion = 1;
constexpr std::string_view kSalt = "ipsec-gss exporter v1";
constexpr std::size_t kMaxExport = 255 * kMacSize;

const unsigned char* octets(View data) { return reinterpret_cast<const unsigned char*>(data.data()); }
unsigned char* octets(std::span<std::byte> data) { return reinterpret_cast<unsigned char*>(data.data()); }

// RFC 5869 2.3, by HMAC alone: OpenSSL's HKDF refuses an info of more than 2048 octets, and contexts may be longer.
base::Result<Secret> expand(View prk, View info, std::size_t length) {
  if (length == 0 || length > kMaxExport) return base::fail(Code::BAD_ARGUMENT, "wanted 1 to 8160 octets of key, found " + std::to_string(length));
  Secret out(length), block;
  std::uint8_t counter = 1;
  for (std::size_t done = 0; done < length; ++counter) {
    Secret input(block.size() + info.size() + 1);
    std::ranges::copy(block.view(), input.bytes().begin());
    std::ranges::copy(info, input.bytes().begin() + static_cast<std::ptrdiff_t>(block.size()));
    input.bytes().back() = std::byte{counter};
    auto next = hmac_sha256(prk, input.view());
    if (!next.ok()) return next.error();
    block = std::move(*next);
    const View part = block.view().first(std::min(kMacSize, length - done));
    std::ranges::copy(part, out.bytes().begin() + static_cast<std::ptrdiff_t>(done));
    done += part.size();
  }
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

bool missing(const Algorithm& algorithm, const Secret& key, bool needed) {
  return needed && (key.empty() || key.size() * 8 != algorithm.key_bits);
}

base::Status usable(const SaKeys& keys) {
  const Quality quality = quality_of(as_sa(keys));
  if (!quality.known || !quality.integrity) return base::fail(Code::WEAK_KEYS, "the algorithms of the SA are not known or give no integrity");
  const bool aead = !keys.aead.name.empty();
  if (missing(aead ? keys.aead : keys.encryption, keys.encryption_key, aead || quality.confidentiality) ||
      missing(keys.authentication, keys.authentication_key, !aead))
    return base::fail(Code::NO_KEYS, "wanted the keys of an SA, found none");
  for (const Secret* key : {&keys.encryption_key, &keys.authentication_key})
    if (!key->empty() && all_zero(key->view())) return base::fail(Code::NO_KEYS, "wanted the keys of an SA, found zeros");
  if (quality.key_bits < kMinimumKeyBits)
    return base::fail(Code::WEAK_KEYS, "wanted keys of 128 bits or more, found " + std::to_string(quality.key_bits));
  return {};
}

// Keys are written into room made before, so that growing leaves none behind.
std::size_t room_for(const SaKeys& keys) { return 13 + keys.encryption_key.size() + keys.authentication_key.size(); }

// One SA's part of KEYMAT. The transform numbers stand for "algorithm name as IKE's transform ids".
void put(base::Writer& out, const SaKeys& keys) {
  const Quality quality = quality_of(as_sa(keys));
  out.u8(keys.id.protocol).u16(quality.encryption_transform).u16(quality.integrity_transform);
  out.block32(keys.encryption_key.view()).block32(keys.authentication_key.view());
}

}  // namespace

base::Result<Exporter> Exporter::make(const SaKeys& to_acceptor, const SaKeys& to_initiator) {
  for (const SaKeys* keys : {&to_acceptor, &to_initiator})
    if (const base::Status status = usable(*keys); !status.ok()) return status.error();
  base::Writer writer;
  writer.reserve(1 + room_for(to_acceptor) + room_for(to_initiator)).u8(kKeymatVersion);
  put(writer, to_acceptor);
  put(writer, to_initiator);
  base::Bytes keymat = std::move(writer).take();
  auto prk = hmac_sha256(base::view_of(kSalt), keymat);  // HKDF-Extract
  base::wipe(keymat);
  if (!prk.ok()) return prk.error();
  return Exporter(std::move(*prk));
}

base::Result<Secret> Exporter::derive(std::string_view label, std::uint8_t role, const FlowLabel& flow, View context, std::size_t length) const {
  // A NUL would let one label imitate another with its role and flow.
  if (label.empty() || label.find('\0') != std::string_view::npos) return base::fail(Code::BAD_ARGUMENT, "wanted a label without NUL");
  base::Writer info;
  info.raw(label).u8(0).u8(role).block32(encode(flow)).block32(context);
  return expand(prk_.view(), info.bytes(), length);
}

base::Result<Secret> selection_tag(const SaKeys& keys) {
  if (const base::Status status = usable(keys); !status.ok()) return status.error();
  base::Writer writer;
  writer.reserve(room_for(keys));
  put(writer, keys);
  base::Bytes key = std::move(writer).take();
  auto tag = hmac_sha256(key, base::view_of("select v1"));
  base::wipe(key);
  return tag;
}

base::Result<Secret> hmac_sha256(View key, View data) {
  Secret out(kMacSize);
  std::size_t size = 0;
  const MacContext context = hmac_sha256_context();
  if (!context || EVP_MAC_init(context.get(), octets(key), key.size(), nullptr) != 1 || EVP_MAC_update(context.get(), octets(data), data.size()) != 1 ||
      EVP_MAC_final(context.get(), octets(out.bytes()), &size, out.size()) != 1 || size != kMacSize)
    return base::fail(Code::INTERNAL, "HMAC failed");
  return out;
}

}  // namespace gssipsec::channel
