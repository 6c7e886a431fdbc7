// SPDX-License-Identifier: MIT
#include "channel/quality.h"

#include "tests/unit/channel/samples.h"

namespace gssipsec::channel::testing {
namespace {

Quality of_aead(const char* name, std::uint32_t key_bits, std::uint32_t icv_bits) {
  Sa sa;
  sa.aead = {name, key_bits, icv_bits};
  return quality_of(sa);
}

Quality of_pair(Algorithm cipher, Algorithm mac) {
  Sa sa;
  sa.encryption = std::move(cipher);
  sa.authentication = std::move(mac);
  return quality_of(sa);
}

const Algorithm kSha256 = {"hmac(sha256)", 256, 128};
const Algorithm kAes256 = {"cbc(aes)", 256, 0};
const Algorithm kNull = {"ecb(cipher_null)", 0, 0};

}  // namespace

class QualityTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(QualityTest);
  CPPUNIT_TEST(aead_names_have_their_ike_numbers);
  CPPUNIT_TEST(the_salt_is_no_part_of_the_key);
  CPPUNIT_TEST(gmac_gives_no_confidentiality);
  CPPUNIT_TEST(ciphers_have_their_ike_numbers);
  CPPUNIT_TEST(macs_have_their_ike_numbers_by_truncation);
  CPPUNIT_TEST(a_truncation_without_number_is_unknown);
  CPPUNIT_TEST(an_unknown_name_gives_nothing);
  CPPUNIT_TEST(the_null_cipher_gives_integrity_only);
  CPPUNIT_TEST(a_cipher_without_mac_gives_no_integrity);
  CPPUNIT_TEST(the_weaker_key_counts);
  CPPUNIT_TEST(des_counts_its_real_strength);
  CPPUNIT_TEST(ah_gives_no_confidentiality);
  CPPUNIT_TEST(replay_protection_is_a_window_or_long_numbers);
  CPPUNIT_TEST(suites_are_named_for_people);
  CPPUNIT_TEST(the_weakest_of_two_is_the_weakest_of_each_property);
  CPPUNIT_TEST(weak_groups_are_these);
  CPPUNIT_TEST_SUITE_END();

 public:
  void aead_names_have_their_ike_numbers() {
    const struct { const char* name; std::uint32_t key, icv; std::uint16_t number; } kWanted[] = {
        {"rfc4106(gcm(aes))", 160, 64, 18}, {"rfc4106(gcm(aes))", 160, 96, 19}, {"rfc4106(gcm(aes))", 160, 128, 20}, {"rfc4309(ccm(aes))", 152, 64, 14},
        {"rfc4309(ccm(aes))", 152, 96, 15}, {"rfc4309(ccm(aes))", 152, 128, 16}, {"rfc4543(gcm(aes))", 160, 128, 21}, {"rfc7539esp(chacha20,poly1305)", 288, 128, 28}};
    for (const auto& [name, key, icv, number] : kWanted) {
      const Quality quality = of_aead(name, key, icv);
      CPPUNIT_ASSERT(quality.known && quality.integrity);
      CPPUNIT_ASSERT_EQUAL(number, quality.encryption_transform);
      CPPUNIT_ASSERT_EQUAL(std::uint16_t{0}, quality.integrity_transform);
    }
  }
  void the_salt_is_no_part_of_the_key() {
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{128}, of_aead("rfc4106(gcm(aes))", 160, 128).key_bits);
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{256}, of_aead("rfc4106(gcm(aes))", 288, 128).key_bits);
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{128}, of_aead("rfc4309(ccm(aes))", 152, 128).key_bits);
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{256}, of_aead("rfc7539esp(chacha20,poly1305)", 288, 128).key_bits);
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{128}, of_pair({"rfc3686(ctr(aes))", 160, 0}, kSha256).key_bits);
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{0}, of_aead("rfc4106(gcm(aes))", 32, 128).key_bits);
  }
  void gmac_gives_no_confidentiality() {
    const Quality quality = of_aead("rfc4543(gcm(aes))", 160, 128);
    CPPUNIT_ASSERT(quality.integrity && !quality.confidentiality);
    CPPUNIT_ASSERT(of_aead("rfc4106(gcm(aes))", 160, 128).confidentiality);
  }
  void ciphers_have_their_ike_numbers() {
    const struct { Algorithm cipher; std::uint16_t number; } kWanted[] = {{kAes256, 12}, {{"rfc3686(ctr(aes))", 160, 0}, 13}, {{"cbc(des3_ede)", 192, 0}, 3},
                                                                          {{"cbc(des)", 64, 0}, 2}, {{"cbc(camellia)", 256, 0}, 23}, {kNull, 11}};
    for (const auto& [cipher, number] : kWanted) CPPUNIT_ASSERT_EQUAL(number, of_pair(cipher, kSha256).encryption_transform);
  }
  void macs_have_their_ike_numbers_by_truncation() {
    const struct { const char* name; std::uint32_t icv; std::uint16_t number; } kWanted[] = {
        {"hmac(sha1)", 96, 2}, {"hmac(sha1)", 160, 7}, {"hmac(sha256)", 128, 12}, {"hmac(sha384)", 192, 13}, {"hmac(sha512)", 256, 14}, {"cmac(aes)", 96, 8}, {"xcbc(aes)", 96, 5}};
    for (const auto& [name, icv, number] : kWanted) {
      const Quality quality = of_pair(kAes256, {name, 256, icv});
      CPPUNIT_ASSERT(quality.known && quality.integrity);
      CPPUNIT_ASSERT_EQUAL(number, quality.integrity_transform);
    }
  }
  void a_truncation_without_number_is_unknown() {
    CPPUNIT_ASSERT(!of_pair(kAes256, {"hmac(sha256)", 256, 96}).known);
    CPPUNIT_ASSERT(!of_aead("rfc4106(gcm(aes))", 160, 32).known && !of_aead("rfc4106(gcm(aes))", 160, 0).known);
  }
  void an_unknown_name_gives_nothing() {
    for (const Quality& quality : {of_aead("rfc9999(aes)", 160, 128), of_pair({"cbc(aes) ", 256, 0}, kSha256), of_pair(kAes256, {"hmac(sm3)", 256, 128})}) {
      CPPUNIT_ASSERT(!quality.known && !quality.integrity && !quality.confidentiality);
      CPPUNIT_ASSERT_EQUAL(std::uint16_t{0}, quality.key_bits);
    }
  }
  void the_null_cipher_gives_integrity_only() {
    const Quality quality = of_pair(kNull, kSha256);
    CPPUNIT_ASSERT(quality.known && quality.integrity && !quality.confidentiality);
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{256}, quality.key_bits);
  }
  void a_cipher_without_mac_gives_no_integrity() {
    CPPUNIT_ASSERT(!of_pair(kAes256, {}).integrity && !of_pair(kAes256, {"digest_null", 0, 0}).integrity);
    CPPUNIT_ASSERT(!quality_of(Sa{}).integrity && !quality_of(Sa{}).confidentiality);
  }
  void the_weaker_key_counts() {
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{128}, of_pair({"cbc(aes)", 128, 0}, kSha256).key_bits);
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{160}, of_pair(kAes256, {"hmac(sha1)", 160, 96}).key_bits);
  }
  void des_counts_its_real_strength() {
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{56}, of_pair({"cbc(des)", 64, 0}, kSha256).key_bits);
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{112}, of_pair({"cbc(des3_ede)", 192, 0}, kSha256).key_bits);
  }
  void ah_gives_no_confidentiality() {
    Sa sa;
    sa.id.protocol = kProtoAh;
    sa.authentication = kSha256;
    CPPUNIT_ASSERT(quality_of(sa).integrity && !quality_of(sa).confidentiality);
    sa.encryption = kAes256;
    CPPUNIT_ASSERT(!quality_of(sa).confidentiality);
  }
  void replay_protection_is_a_window_or_long_numbers() {
    Sa sa;
    CPPUNIT_ASSERT(!quality_of(sa).replay_protection);
    sa.replay_window = 1;
    CPPUNIT_ASSERT(quality_of(sa).replay_protection);
  }
  void suites_are_named_for_people() {
    CPPUNIT_ASSERT_EQUAL(std::string("AES_GCM_16-256"), of_aead("rfc4106(gcm(aes))", 288, 128).suite);
    CPPUNIT_ASSERT_EQUAL(std::string("AES_CBC-256/HMAC_SHA2_256_128"), of_pair(kAes256, kSha256).suite);
    CPPUNIT_ASSERT_EQUAL(std::string("NULL/HMAC_SHA2_256_128"), of_pair(kNull, kSha256).suite);
  }
  void the_weakest_of_two_is_the_weakest_of_each_property() {
    Quality strong = of_aead("rfc4106(gcm(aes))", 288, 128), weak = of_pair(kNull, {"hmac(sha1)", 160, 96});
    strong.replay_protection = true;
    for (const Quality& both : {weakest(strong, weak), weakest(weak, strong)}) {
      CPPUNIT_ASSERT(both.known && both.integrity && !both.confidentiality && !both.replay_protection);
      CPPUNIT_ASSERT_EQUAL(std::uint16_t{160}, both.key_bits);
      CPPUNIT_ASSERT_EQUAL(std::string("indeterminate"), both.suite);
    }
    CPPUNIT_ASSERT(weakest(strong, strong) == strong);
    CPPUNIT_ASSERT(!weakest(strong, Quality{}).known && !weakest(strong, Quality{}).integrity);
  }
  void weak_groups_are_these() {
    for (const std::uint16_t group : {0, 1, 2, 5, 22, 23, 24}) CPPUNIT_ASSERT(weak_dh_group(group));
    for (const std::uint16_t group : {14, 15, 16, 19, 20, 21, 31, 32}) CPPUNIT_ASSERT(!weak_dh_group(group));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(QualityTest);

}  // namespace gssipsec::channel::testing
