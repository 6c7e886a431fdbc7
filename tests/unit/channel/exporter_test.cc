// SPDX-License-Identifier: MIT
// The vectors were computed apart, with Python's hmac and hashlib.
#include "tests/unit/channel/samples.h"

namespace gssipsec::channel::testing {
namespace {

Exporter gcm_exporter() { return *Exporter::make(gcm_keys(0xc0ffee01, 1), gcm_keys(0xdeadbeef, 0x81)); }

std::string hex(const base::Result<base::Secret>& secret) {
  CPPUNIT_ASSERT(secret.ok());
  return base::to_hex(secret->view());
}

std::string session(const Exporter& exporter, const char* label = "session", std::uint8_t role = 0, const FlowLabel& flow = sample_label(),
                    std::string_view context = "nonces") {
  return hex(exporter.derive(label, role, flow, base::view_of(context), 32));
}

Code made_of(const SaKeys& keys) {
  const Code forth = code_of(Exporter::make(keys, gcm_keys(2, 0x81)));
  CPPUNIT_ASSERT_EQUAL(forth, code_of(Exporter::make(gcm_keys(2, 0x81), keys)));
  CPPUNIT_ASSERT_EQUAL(forth, code_of(selection_tag(keys)));
  return forth;
}

}  // namespace

class ExporterTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ExporterTest);
  CPPUNIT_TEST(an_aead_pair_gives_the_known_answers);
  CPPUNIT_TEST(a_pair_of_cipher_and_mac_gives_the_known_answer);
  CPPUNIT_TEST(long_contexts_and_long_outputs_give_the_known_answer);
  CPPUNIT_TEST(the_selection_tag_is_the_known_answer);
  CPPUNIT_TEST(hmac_gives_the_published_answer);
  CPPUNIT_TEST(both_hosts_derive_the_same_whatever_their_clocks);
  CPPUNIT_TEST(roles_are_not_exchangeable);
  CPPUNIT_TEST(everything_that_is_named_changes_the_output);
  CPPUNIT_TEST(every_key_octet_changes_the_output);
  CPPUNIT_TEST(equal_octets_under_other_algorithms_are_other_keys);
  CPPUNIT_TEST(esp_and_ah_with_one_key_differ);
  CPPUNIT_TEST(missing_keys_are_refused);
  CPPUNIT_TEST(all_zero_keys_are_refused);
  CPPUNIT_TEST(one_redacted_key_of_two_is_refused);
  CPPUNIT_TEST(a_key_that_is_not_as_long_as_it_says_is_refused);
  CPPUNIT_TEST(weak_or_unknown_algorithms_are_refused);
  CPPUNIT_TEST(an_sa_without_integrity_is_refused);
  CPPUNIT_TEST(integrity_alone_can_be_bound_to);
  CPPUNIT_TEST(labels_without_text_or_with_a_nul_are_refused);
  CPPUNIT_TEST(lengths_beyond_hkdf_are_refused);
  CPPUNIT_TEST_SUITE_END();

 public:
  void an_aead_pair_gives_the_known_answers() {
    const Exporter exporter = gcm_exporter();
    CPPUNIT_ASSERT_EQUAL(std::string("95614d7c3915a480cdb467c2781f56f023b21794f9ce56959fc3e4a1ee055551"), session(exporter));
    CPPUNIT_ASSERT_EQUAL(std::string("8abd57385348eb95cea8144b4fe24ffc4803daedb57bf497b340497672756719"), session(exporter, "session", 1));
  }
  void a_pair_of_cipher_and_mac_gives_the_known_answer() {
    FlowLabel flow;
    flow.protocol = 17;
    flow.mode = Mode::tunnel;
    flow.inner_initiator = ip("2001:db8::1");
    flow.inner_acceptor = ip("2001:db8::2");
    flow.initiator_port = 1;
    flow.acceptor_port = 65535;
    flow.spi_to_acceptor = 256;
    flow.spi_to_initiator = 0xffffffff;
    const Exporter exporter = *Exporter::make(cbc_keys(256, 1, 0x40), cbc_keys(0xffffffff, 0x60, 0xa0));
    CPPUNIT_ASSERT_EQUAL(std::string("ca0345f24202d5f1fa97bf01a00ec88d178e569e9d0e70a40c34c6570a38f88c"), session(exporter, "binding", 0, flow, ""));
  }
  void long_contexts_and_long_outputs_give_the_known_answer() {
    const base::Bytes context(5000);
    CPPUNIT_ASSERT_EQUAL(std::string("5f22e2375a3a53adf9e79cabb9bf9abf135705c16046319b2bb634e7ef7c09d249204a74d1d544e9dbe01d26655e143b"
                                     "241da3fdbd3f9ef644fbc678f5e448ea259ef1a0aa71e929c55a4e97fd58fe1d"),
                         hex(gcm_exporter().derive("app:x", 2, sample_label(), context, 80)));
  }
  void the_selection_tag_is_the_known_answer() {
    CPPUNIT_ASSERT_EQUAL(std::string("a8da940d8b98dac70381543d2413aef7833fead38943edb07f5ff2ffc5cd258a"), hex(selection_tag(gcm_keys(7, 1))));
  }
  void hmac_gives_the_published_answer() {
    CPPUNIT_ASSERT_EQUAL(std::string("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
                         hex(hmac_sha256(base::view_of("Jefe"), base::view_of("what do ya want for nothing?"))));
  }
  void both_hosts_derive_the_same_whatever_their_clocks() {
    SaKeys here = gcm_keys(1, 1), there = gcm_keys(1, 1);
    there.added = 99;
    there.id.destination = ip("192.0.2.1");  // behind NAT one SA has two addresses
    CPPUNIT_ASSERT_EQUAL(session(*Exporter::make(here, gcm_keys(2, 9))), session(*Exporter::make(there, gcm_keys(2, 9))));
    CPPUNIT_ASSERT_EQUAL(hex(selection_tag(here)), hex(selection_tag(there)));
  }
  void roles_are_not_exchangeable() {
    const Exporter back = *Exporter::make(gcm_keys(0xdeadbeef, 0x81), gcm_keys(0xc0ffee01, 1));
    CPPUNIT_ASSERT(session(gcm_exporter()) != session(back));
    const Exporter same_key = *Exporter::make(gcm_keys(1, 1), gcm_keys(1, 1));
    CPPUNIT_ASSERT(session(same_key, "assertion", 1) != session(same_key, "assertion", 2));
  }
  void everything_that_is_named_changes_the_output() {
    const Exporter exporter = gcm_exporter();
    std::vector<std::string> seen = {session(exporter), session(exporter, "sessio"), session(exporter, "session", 1),
                                     session(exporter, "session", 0, sample_label(), ""), session(exporter, "session", 0, sample_label(), "noncesx")};
    for (int field = 0; field < 7; ++field) {
      FlowLabel flow = sample_label();
      if (field == 0) flow.protocol = 17;
      if (field == 1) flow.mode = Mode::tunnel;
      if (field == 2) flow.inner_initiator = ip("10.0.0.1");
      if (field == 3) ++flow.initiator_port;
      if (field == 4) ++flow.acceptor_port;
      if (field == 5) ++flow.spi_to_acceptor;
      if (field == 6) ++flow.spi_to_initiator;
      seen.push_back(session(exporter, "session", 0, flow));
    }
    std::sort(seen.begin(), seen.end());
    CPPUNIT_ASSERT(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
  }
  void every_key_octet_changes_the_output() {
    const std::string unchanged = session(gcm_exporter());
    for (std::size_t i = 0; i < 20; ++i) {
      SaKeys keys = gcm_keys(0xc0ffee01, 1);
      keys.encryption_key.bytes()[i] ^= std::byte{1};
      CPPUNIT_ASSERT(session(*Exporter::make(keys, gcm_keys(0xdeadbeef, 0x81))) != unchanged);
    }
    SaKeys keys = cbc_keys(1, 1, 0x40);
    keys.authentication_key.bytes()[31] ^= std::byte{1};
    CPPUNIT_ASSERT(session(*Exporter::make(keys, gcm_keys(2, 2))) != session(*Exporter::make(cbc_keys(1, 1, 0x40), gcm_keys(2, 2))));
  }
  void equal_octets_under_other_algorithms_are_other_keys() {
    SaKeys eight = gcm_keys(1, 1);
    eight.aead.icv_bits = 64;
    CPPUNIT_ASSERT(session(*Exporter::make(eight, gcm_keys(2, 9))) != session(*Exporter::make(gcm_keys(1, 1), gcm_keys(2, 9))));
  }
  void esp_and_ah_with_one_key_differ() {
    SaKeys esp_keys = authenticated_only(), ah_keys = authenticated_only();
    ah_keys.id.protocol = kProtoAh;
    CPPUNIT_ASSERT(session(*Exporter::make(esp_keys, gcm_keys(2, 9))) != session(*Exporter::make(ah_keys, gcm_keys(2, 9))));
  }
  void missing_keys_are_refused() {
    SaKeys keys = gcm_keys(1, 1);
    keys.encryption_key = {};
    CPPUNIT_ASSERT_EQUAL(Code::NO_KEYS, made_of(keys));
    keys = cbc_keys(1, 1, 2);
    keys.authentication_key = {};
    CPPUNIT_ASSERT_EQUAL(Code::NO_KEYS, made_of(keys));
    keys = cbc_keys(1, 1, 2);
    keys.encryption_key = {};
    CPPUNIT_ASSERT_EQUAL(Code::NO_KEYS, made_of(keys));
  }
  void all_zero_keys_are_refused() {
    SaKeys keys = gcm_keys(1, 1);
    keys.encryption_key = base::Secret(20);
    CPPUNIT_ASSERT_EQUAL(Code::NO_KEYS, made_of(keys));
    keys = cbc_keys(1, 1, 2);
    keys.encryption_key = base::Secret(32);
    keys.authentication_key = base::Secret(32);
    CPPUNIT_ASSERT_EQUAL(Code::NO_KEYS, made_of(keys));
  }
  void one_redacted_key_of_two_is_refused() {
    SaKeys keys = cbc_keys(1, 1, 2);
    keys.authentication_key = base::Secret(32);
    CPPUNIT_ASSERT_EQUAL(Code::NO_KEYS, made_of(keys));
    keys = cbc_keys(1, 1, 2);
    keys.encryption_key = base::Secret(32);
    CPPUNIT_ASSERT_EQUAL(Code::NO_KEYS, made_of(keys));
  }
  void a_key_that_is_not_as_long_as_it_says_is_refused() {
    SaKeys keys = gcm_keys(1, 1);
    keys.encryption_key = base::Secret(base::View(counting(1, 8)));
    CPPUNIT_ASSERT_EQUAL(Code::NO_KEYS, made_of(keys));
  }
  void weak_or_unknown_algorithms_are_refused() {
    SaKeys keys = cbc_keys(1, 1, 2);
    keys.encryption = {"cbc(des)", 64, 0};
    keys.encryption_key = base::Secret(base::View(counting(1, 8)));
    CPPUNIT_ASSERT_EQUAL(Code::WEAK_KEYS, made_of(keys));
    keys.encryption = {"cbc(des3_ede)", 192, 0};
    keys.encryption_key = base::Secret(base::View(counting(1, 24)));
    CPPUNIT_ASSERT_EQUAL(Code::WEAK_KEYS, made_of(keys));
    keys = gcm_keys(1, 1);
    keys.aead.name = "rot13(aes)";
    CPPUNIT_ASSERT_EQUAL(Code::WEAK_KEYS, made_of(keys));
    keys = gcm_keys(1, 1);
    keys.aead.icv_bits = 32;
    CPPUNIT_ASSERT_EQUAL(Code::WEAK_KEYS, made_of(keys));
  }
  void an_sa_without_integrity_is_refused() {
    SaKeys keys = cbc_keys(1, 1, 2);
    keys.authentication = {};
    keys.authentication_key = {};
    CPPUNIT_ASSERT_EQUAL(Code::WEAK_KEYS, made_of(keys));
    keys.authentication = {"digest_null", 0, 0};
    CPPUNIT_ASSERT_EQUAL(Code::WEAK_KEYS, made_of(keys));
  }
  void integrity_alone_can_be_bound_to() {
    CPPUNIT_ASSERT_EQUAL(Code::ok, made_of(authenticated_only()));
    SaKeys gmac = gcm_keys(1, 1);
    gmac.aead.name = "rfc4543(gcm(aes))";
    CPPUNIT_ASSERT_EQUAL(Code::ok, made_of(gmac));
  }
  void labels_without_text_or_with_a_nul_are_refused() {
    const Exporter exporter = gcm_exporter();
    CPPUNIT_ASSERT_EQUAL(Code::BAD_ARGUMENT, code_of(exporter.derive("", 0, sample_label(), {}, 32)));
    CPPUNIT_ASSERT_EQUAL(Code::BAD_ARGUMENT, code_of(exporter.derive(std::string_view("app:\0x", 6), 0, sample_label(), {}, 32)));
  }
  void lengths_beyond_hkdf_are_refused() {
    const Exporter exporter = gcm_exporter();
    CPPUNIT_ASSERT_EQUAL(Code::BAD_ARGUMENT, code_of(exporter.derive("x", 0, sample_label(), {}, 0)));
    CPPUNIT_ASSERT_EQUAL(Code::BAD_ARGUMENT, code_of(exporter.derive("x", 0, sample_label(), {}, 8161)));
    CPPUNIT_ASSERT_EQUAL(std::size_t{8160}, exporter.derive("x", 0, sample_label(), {}, 8160)->size());
    CPPUNIT_ASSERT(hex(exporter.derive("x", 0, sample_label(), {}, 80)).starts_with(hex(exporter.derive("x", 0, sample_label(), {}, 33))));
  }

 private:
  static SaKeys authenticated_only() {
    SaKeys keys = cbc_keys(1, 1, 2);
    keys.encryption = {"ecb(cipher_null)", 0, 0};
    keys.encryption_key = {};
    return keys;
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(ExporterTest);

}  // namespace gssipsec::channel::testing
