// SPDX-License-Identifier: MIT
#include "tests/differential/suites.h"

namespace gssipsec::differential {
namespace {

using channel::Algorithm;

struct Suite {
  Algorithm aead, encryption, authentication;
};

const std::vector<Suite>& strong() {
  static const std::vector<Suite> suites = {
      {{"rfc4106(gcm(aes))", 160, 128}, {}, {}},
      {{"rfc4106(gcm(aes))", 288, 128}, {}, {}},
      {{"rfc4106(gcm(aes))", 160, 96}, {}, {}},
      {{"rfc4309(ccm(aes))", 152, 128}, {}, {}},
      {{"rfc7539esp(chacha20,poly1305)", 288, 128}, {}, {}},
      {{}, {"cbc(aes)", 128, 0}, {"hmac(sha256)", 256, 128}},
      {{}, {"cbc(aes)", 256, 0}, {"hmac(sha1)", 160, 96}},
      {{}, {"rfc3686(ctr(aes))", 160, 0}, {"hmac(sha256)", 256, 128}},
  };
  return suites;
}

// Integrity alone, no integrity, nothing, short or old: known-weak ones and one that has no IKE number.
const std::vector<Suite>& odd() {
  static const std::vector<Suite> suites = {
      {{"rfc4543(gcm(aes))", 160, 128}, {}, {}},
      {{}, {"ecb(cipher_null)", 0, 0}, {"hmac(sha256)", 256, 128}},
      {{}, {"cbc(aes)", 128, 0}, {}},
      {{}, {"ecb(cipher_null)", 0, 0}, {"digest_null", 0, 0}},
      {{}, {"cbc(des3_ede)", 192, 0}, {"hmac(md5)", 128, 96}},
      {{}, {"cbc(aes)", 128, 0}, {"hmac(sha256)", 256, 96}},
  };
  return suites;
}

const std::vector<Algorithm>& authentications() {
  static const std::vector<Algorithm> all = {{"hmac(sha1)", 160, 96}, {"hmac(sha256)", 256, 128}, {"hmac(md5)", 128, 96}, {"xcbc(aes)", 128, 96}};
  return all;
}

}  // namespace

void choose_suite(Random& random, channel::Sa& sa) {
  sa.aead = sa.encryption = sa.authentication = sa.compression = {};
  if (sa.id.protocol == channel::kProtoComp) {
    sa.compression = {"deflate", 0, 0};
  } else if (sa.id.protocol == channel::kProtoAh) {
    sa.authentication = random.of(authentications());
  } else {
    const Suite& suite = random.of(random.chance(85) ? strong() : odd());
    sa.aead = suite.aead;
    sa.encryption = suite.encryption;
    sa.authentication = suite.authentication;
  }
}

}  // namespace gssipsec::differential
