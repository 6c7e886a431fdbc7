// SPDX-License-Identifier: MIT
#include "channel/quality.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace gssipsec::channel {
namespace {

// IKEv2 transform numbers (IANA "IKEv2 Parameters"). `salt` octets follow an AEAD's key in the kernel's key.
struct Known {
  std::string_view kernel;
  std::uint16_t icv_bits;  // 0: any
  std::uint16_t transform;
  const char* name;
  bool secret;             // gives confidentiality
  std::uint16_t salt_bits;
  std::uint16_t strength;  // 0: the key's length
};

constexpr std::array<Known, 10> kAead = {{
    {"rfc4106(gcm(aes))", 64, 18, "AES_GCM_8", true, 32, 0},
    {"rfc4106(gcm(aes))", 96, 19, "AES_GCM_12", true, 32, 0},
    {"rfc4106(gcm(aes))", 128, 20, "AES_GCM_16", true, 32, 0},
    {"rfc4309(ccm(aes))", 64, 14, "AES_CCM_8", true, 24, 0},
    {"rfc4309(ccm(aes))", 96, 15, "AES_CCM_12", true, 24, 0},
    {"rfc4309(ccm(aes))", 128, 16, "AES_CCM_16", true, 24, 0},
    {"rfc4543(gcm(aes))", 128, 21, "NULL_AUTH_AES_GMAC", false, 32, 0},
    {"rfc7539esp(chacha20,poly1305)", 128, 28, "CHACHA20_POLY1305", true, 32, 256},
    {"seqiv(rfc4106(gcm(aes)))", 128, 20, "AES_GCM_16", true, 32, 0},
    {"echainiv(rfc4106(gcm(aes)))", 128, 20, "AES_GCM_16", true, 32, 0},
}};

constexpr std::array<Known, 9> kCiphers = {{
    {"ecb(cipher_null)", 0, 11, "NULL", false, 0, 0},
    {"cipher_null", 0, 11, "NULL", false, 0, 0},
    {"cbc(aes)", 0, 12, "AES_CBC", true, 0, 0},
    {"rfc3686(ctr(aes))", 0, 13, "AES_CTR", true, 32, 0},
    {"cbc(camellia)", 0, 23, "CAMELLIA_CBC", true, 0, 0},
    {"cbc(des3_ede)", 0, 3, "3DES", true, 0, 112},
    {"cbc(des)", 0, 2, "DES", true, 0, 56},
    {"cbc(cast5)", 0, 6, "CAST", true, 0, 0},
    {"cbc(blowfish)", 0, 7, "BLOWFISH", true, 0, 0},
}};

constexpr std::array<Known, 9> kMacs = {{
    {"hmac(md5)", 96, 1, "HMAC_MD5_96", false, 0, 0},
    {"hmac(sha1)", 96, 2, "HMAC_SHA1_96", false, 0, 0},
    {"xcbc(aes)", 96, 5, "AES_XCBC_96", false, 0, 0},
    {"hmac(sha1)", 160, 7, "HMAC_SHA1_160", false, 0, 0},
    {"cmac(aes)", 96, 8, "AES_CMAC_96", false, 0, 0},
    {"hmac(sha256)", 128, 12, "HMAC_SHA2_256_128", false, 0, 0},
    {"hmac(sha384)", 192, 13, "HMAC_SHA2_384_192", false, 0, 0},
    {"hmac(sha512)", 256, 14, "HMAC_SHA2_512_256", false, 0, 0},
    {"digest_null", 0, 0, "NULL", false, 0, 0},
}};

template <std::size_t N>
const Known* find(const std::array<Known, N>& table, const Algorithm& algorithm) {
  for (const Known& entry : table)
    if (entry.kernel == algorithm.name && (entry.icv_bits == 0 || entry.icv_bits == algorithm.icv_bits) && *entry.name) return &entry;
  return nullptr;
}

std::uint16_t strength(const Known& entry, const Algorithm& algorithm) {
  if (entry.strength != 0) return entry.strength;
  return static_cast<std::uint16_t>(algorithm.key_bits > entry.salt_bits ? algorithm.key_bits - entry.salt_bits : 0);
}

Quality of_aead(const Sa& sa) {
  Quality out;
  const Known* entry = find(kAead, sa.aead);
  if (!entry) return out;
  out.known = out.integrity = true;
  out.confidentiality = entry->secret;
  out.encryption_transform = entry->transform;
  out.key_bits = strength(*entry, sa.aead);
  out.suite = std::string(entry->name) + "-" + std::to_string(out.key_bits);
  return out;
}

Quality of_pair(const Sa& sa) {
  Quality out;
  const Known* cipher = sa.encryption.name.empty() ? nullptr : find(kCiphers, sa.encryption);
  const Known* mac = sa.authentication.name.empty() ? nullptr : find(kMacs, sa.authentication);
  if ((!sa.encryption.name.empty() && !cipher) || (!sa.authentication.name.empty() && !mac)) return out;
  out.known = true;
  std::uint16_t weakest_key = 0xffff;
  if (cipher) {
    out.confidentiality = cipher->secret;
    out.encryption_transform = cipher->transform;
    out.suite = cipher->name;
    if (cipher->secret) {
      weakest_key = strength(*cipher, sa.encryption);
      out.suite += "-" + std::to_string(weakest_key);
    }
  }
  if (mac && mac->transform != 0) {
    out.integrity = true;
    out.integrity_transform = mac->transform;
    out.suite += (out.suite.empty() ? "" : "/") + std::string(mac->name);
    weakest_key = std::min<std::uint16_t>(weakest_key, strength(*mac, sa.authentication));
  }
  out.key_bits = weakest_key == 0xffff ? std::uint16_t{0} : weakest_key;
  return out;
}

}  // namespace

Quality quality_of(const Sa& sa) {
  Quality out = sa.aead.name.empty() ? of_pair(sa) : of_aead(sa);
  if (sa.id.protocol == kProtoAh) out.confidentiality = false;
  out.replay_protection = sa.replay_window > 0 || sa.esn;
  return out;
}

Quality weakest(const Quality& a, const Quality& b) {
  Quality out;
  out.confidentiality = a.confidentiality && b.confidentiality;
  out.integrity = a.integrity && b.integrity;
  out.replay_protection = a.replay_protection && b.replay_protection;
  out.known = a.known && b.known;
  out.key_bits = std::min(a.key_bits, b.key_bits);
  const bool same = a.suite == b.suite;
  out.suite = same ? a.suite : "indeterminate";
  out.encryption_transform = same ? a.encryption_transform : std::uint16_t{0};
  out.integrity_transform = same ? a.integrity_transform : std::uint16_t{0};
  return out;
}

bool weak_dh_group(std::uint16_t group) noexcept {
  switch (group) {
    case 0: case 1: case 2: case 5: case 22: case 23: case 24: return true;
    default: return false;
  }
}

}  // namespace gssipsec::channel
