// SPDX-License-Identifier: MIT
#include "channel/assertion.h"

#include "tests/unit/channel/samples.h"

namespace gssipsec::channel::testing {
namespace {

Digest filled(int octet) {
  Digest digest;
  digest.fill(static_cast<std::byte>(octet));
  return digest;
}

Assertion sample() {
  Assertion a;
  a.role = Role::acceptor;
  a.nonce = filled(1);
  a.flow = sample_label();
  a.anonymous = false;
  a.privileged = true;
  a.uid = 1000;
  a.user = "alice";
  a.services = {"ldap", "host"};
  a.wanted = "ldap@server.example.org";
  a.wants_mutual = a.latched = a.integrity = a.confidentiality = a.replay_protection = a.since_start = true;
  a.bindings = filled(3);
  a.transcript = filled(4);
  return a;
}

Exporter exporter() { return *Exporter::make(gcm_keys(1, 1), gcm_keys(2, 0x81)); }

base::Bytes sealed() { return *seal(sample(), exporter()); }

// Version, role, nonce.
constexpr std::size_t kLabelAt = 1 + 1 + 32;

}  // namespace

class AssertionTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AssertionTest);
  CPPUNIT_TEST(what_is_encoded_is_decoded);
  CPPUNIT_TEST(every_flag_stands_for_itself);
  CPPUNIT_TEST(another_version_says_so);
  CPPUNIT_TEST(another_role_is_refused);
  CPPUNIT_TEST(flags_that_nobody_knows_are_refused);
  CPPUNIT_TEST(every_cut_is_refused);
  CPPUNIT_TEST(trailing_octets_are_refused);
  CPPUNIT_TEST(long_names_and_long_lists_are_refused);
  CPPUNIT_TEST(what_is_too_long_is_refused_before_it_is_read);
  CPPUNIT_TEST(what_cannot_be_read_back_is_not_sealed);
  CPPUNIT_TEST(what_is_sealed_is_opened);
  CPPUNIT_TEST(the_seal_is_an_hmac_under_the_key_of_role_and_flow);
  CPPUNIT_TEST(peek_shows_without_a_key);
  CPPUNIT_TEST(every_changed_octet_of_a_sealed_assertion_is_refused);
  CPPUNIT_TEST(every_cut_of_a_sealed_assertion_is_refused);
  CPPUNIT_TEST(octets_behind_a_sealed_assertion_are_refused);
  CPPUNIT_TEST(another_pair_of_sas_does_not_open_it);
  CPPUNIT_TEST(exchanged_directions_do_not_open_it);
  CPPUNIT_TEST(a_reflected_assertion_in_the_other_role_is_refused);
  CPPUNIT_TEST(a_seal_of_another_flow_is_refused);
  CPPUNIT_TEST_SUITE_END();

 public:
  void what_is_encoded_is_decoded() {
    CPPUNIT_ASSERT(*decode_assertion(encode(sample())) == sample());
    CPPUNIT_ASSERT(*decode_assertion(encode(Assertion{})) == Assertion{});
  }
  void every_flag_stands_for_itself() {
    for (bool Assertion::*flag : {&Assertion::anonymous, &Assertion::privileged, &Assertion::wants_mutual, &Assertion::latched, &Assertion::integrity,
                                  &Assertion::confidentiality, &Assertion::replay_protection, &Assertion::since_start}) {
      Assertion one;
      one.anonymous = false;
      one.*flag = true;
      CPPUNIT_ASSERT(*decode_assertion(encode(one)) == one);
    }
  }
  void another_version_says_so() { changed(0, 2, Code::TOKEN_VERSION); }
  void another_role_is_refused() {
    for (const int role : {0, 3, 255}) changed(1, role, Code::BAD_TOKEN);
  }
  void flags_that_nobody_knows_are_refused() {
    base::Bytes data = encode(sample());
    data[kLabelAt + encode(sample_label()).size()] = std::byte{1};  // the high octet of the flags
    CPPUNIT_ASSERT_EQUAL(Code::BAD_TOKEN, code_of(decode_assertion(data)));
  }
  void every_cut_is_refused() {
    const base::Bytes whole = encode(sample());
    for (std::size_t length = 0; length < whole.size(); ++length) CPPUNIT_ASSERT_EQUAL(Code::BAD_TOKEN, code_of(decode_assertion(base::View(whole).first(length))));
  }
  void trailing_octets_are_refused() {
    base::Bytes data = encode(sample());
    data.push_back(std::byte{0});
    CPPUNIT_ASSERT_EQUAL(Code::BAD_TOKEN, code_of(decode_assertion(data)));
  }
  void long_names_and_long_lists_are_refused() {
    limits([](Assertion& a, std::size_t n) { a.user = std::string(n, 'u'); }, 255);
    limits([](Assertion& a, std::size_t n) { a.wanted = std::string(n, 'w'); }, 1024);
    limits([](Assertion& a, std::size_t n) { a.services = {std::string(n, 's')}; }, 64);
    limits([](Assertion& a, std::size_t n) { a.services = std::vector<std::string>(n, "ldap"); }, 32);
  }
  void what_is_too_long_is_refused_before_it_is_read() {
    CPPUNIT_ASSERT_EQUAL(Code::TOKEN_TOO_LONG, code_of(decode_assertion(base::Bytes(kMaxAssertion + 1))));
    CPPUNIT_ASSERT_EQUAL(Code::TOKEN_TOO_LONG, code_of(peek(base::Bytes(kMaxAssertion + 2 + kMacSize + 1))));
  }
  void what_cannot_be_read_back_is_not_sealed() {
    Assertion a = sample();
    a.user = std::string(256, 'u');
    CPPUNIT_ASSERT(!seal(a, exporter()).ok());
    a = sample();
    a.services = std::vector<std::string>(256, "ldap");  // whose count would read as 0
    CPPUNIT_ASSERT_EQUAL(Code::LIMIT, code_of(seal(a, exporter())));
    a = sample();
    a.flow.mode = Mode::other;
    CPPUNIT_ASSERT(!seal(a, exporter()).ok());
  }
  void what_is_sealed_is_opened() { CPPUNIT_ASSERT(*open(sealed(), exporter()) == sample()); }
  void the_seal_is_an_hmac_under_the_key_of_role_and_flow() {
    const base::Bytes body = encode(sample());
    const auto key = exporter().derive("assertion", 2, sample_label(), {}, kMacSize);
    CPPUNIT_ASSERT(glued(body, *hmac_sha256(key->view(), body)) == sealed());
  }
  void peek_shows_without_a_key() { CPPUNIT_ASSERT(*peek(sealed()) == sample()); }
  void every_changed_octet_of_a_sealed_assertion_is_refused() {
    const Exporter key = exporter();
    base::Bytes data = sealed();
    for (std::byte& octet : data)
      for (const int flip : {1, 0x80}) {
        octet ^= static_cast<std::byte>(flip);
        CPPUNIT_ASSERT(!open(data, key).ok());
        octet ^= static_cast<std::byte>(flip);
      }
    CPPUNIT_ASSERT(open(data, key).ok());
  }
  void every_cut_of_a_sealed_assertion_is_refused() {
    const Exporter key = exporter();
    const base::Bytes data = sealed();
    for (std::size_t length = 0; length < data.size(); ++length) {
      CPPUNIT_ASSERT(!open(base::View(data).first(length), key).ok());
      CPPUNIT_ASSERT(!peek(base::View(data).first(length)).ok());
    }
  }
  void octets_behind_a_sealed_assertion_are_refused() {
    base::Bytes data = sealed();
    data.push_back(std::byte{0});
    CPPUNIT_ASSERT_EQUAL(Code::BAD_TOKEN, code_of(open(data, exporter())));
    CPPUNIT_ASSERT_EQUAL(Code::BAD_TOKEN, code_of(peek(data)));
  }
  void another_pair_of_sas_does_not_open_it() {
    CPPUNIT_ASSERT_EQUAL(Code::BAD_MAC, code_of(open(sealed(), *Exporter::make(gcm_keys(1, 2), gcm_keys(2, 0x81)))));
  }
  void exchanged_directions_do_not_open_it() {
    CPPUNIT_ASSERT_EQUAL(Code::BAD_MAC, code_of(open(sealed(), *Exporter::make(gcm_keys(2, 0x81), gcm_keys(1, 1)))));
  }
  void a_reflected_assertion_in_the_other_role_is_refused() {
    // The attacker has an acceptor's MAC over exactly this text, under the key of the acceptor's role.
    base::Bytes body = encode(sample());
    body[1] = std::byte{1};
    const auto key = exporter().derive("assertion", 2, sample_label(), {}, kMacSize);
    CPPUNIT_ASSERT_EQUAL(Code::BAD_MAC, code_of(open(glued(body, *hmac_sha256(key->view(), body)), exporter())));
  }
  void a_seal_of_another_flow_is_refused() {
    FlowLabel other = sample_label();
    ++other.initiator_port;
    const base::Bytes body = encode(sample());
    const auto key = exporter().derive("assertion", 2, other, {}, kMacSize);
    CPPUNIT_ASSERT_EQUAL(Code::BAD_MAC, code_of(open(glued(body, *hmac_sha256(key->view(), body)), exporter())));
  }

 private:
  static base::Bytes glued(const base::Bytes& body, const base::Secret& mac) {
    base::Writer out;
    out.block16(body).raw(mac.view());
    return std::move(out).take();
  }
  static void changed(std::size_t at, int octet, Code wanted) {
    base::Bytes data = encode(sample());
    data[at] = static_cast<std::byte>(octet);
    CPPUNIT_ASSERT_EQUAL(wanted, code_of(decode_assertion(data)));
  }
  template <typename Set>
  static void limits(Set set, std::size_t limit) {
    Assertion a = sample();
    set(a, limit);
    CPPUNIT_ASSERT(*decode_assertion(encode(a)) == a);
    set(a, limit + 1);
    CPPUNIT_ASSERT_EQUAL(Code::BAD_TOKEN, code_of(decode_assertion(encode(a))));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(AssertionTest);

}  // namespace gssipsec::channel::testing
