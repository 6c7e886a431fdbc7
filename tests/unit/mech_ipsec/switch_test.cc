// SPDX-License-Identifier: MIT
// SWITCH's octets, and what its proof is about.
#include "mech_ipsec/switch_token.h"

#include <cppunit/extensions/HelperMacros.h>

#include "mech_ipsec/message.h"

namespace gssipsec::mech {
namespace {

using base::Bytes;
using base::Code;

Digest digest_filled(int octet) {
  Digest digest;
  digest.fill(static_cast<std::byte>(octet));
  return digest;
}

Bytes encoded(const SwitchToken& token) {
  Bytes out(kSwitchHeader);
  encode_switch(token, std::span(out).first<kSwitchHeader>());
  return out;
}

class SwitchTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SwitchTest);
  CPPUNIT_TEST(it_has_the_documented_octets);
  CPPUNIT_TEST(what_was_written_is_read_and_what_follows_is_not);
  CPPUNIT_TEST(other_versions_types_and_lengths_are_refused);
  CPPUNIT_TEST(the_proof_is_about_key_binding_tokens_and_number);
  CPPUNIT_TEST(the_first_octet_tells_what_a_token_is);
  CPPUNIT_TEST_SUITE_END();

 public:
  void it_has_the_documented_octets() {
    const Bytes octets = encoded({0x0102030405060708, digest_filled(0xab)});
    std::string wanted = "14010102030405060708";
    for (int i = 0; i < 32; ++i) wanted += "ab";
    CPPUNIT_ASSERT_EQUAL(wanted, base::to_hex(octets));
  }

  void what_was_written_is_read_and_what_follows_is_not() {
    Bytes octets = encoded({7, digest_filled(3)});
    octets.push_back(std::byte{5});
    const auto token = decode_switch(octets);
    CPPUNIT_ASSERT(token.ok() && token->sequence == 7 && token->proof == digest_filled(3));
  }

  void other_versions_types_and_lengths_are_refused() {
    Bytes octets = encoded({7, digest_filled(3)});
    for (std::size_t size = 0; size < octets.size(); ++size) CPPUNIT_ASSERT(decode_switch(base::View(octets).first(size)).error().code == Code::BAD_TOKEN);
    octets[1] = std::byte{2};
    CPPUNIT_ASSERT(decode_switch(octets).error().code == Code::TOKEN_VERSION);
    octets[1] = std::byte{1}, octets[0] = std::byte{0x11};
    CPPUNIT_ASSERT(decode_switch(octets).error().code == Code::BAD_TOKEN);
    CPPUNIT_ASSERT(decode_switch(encoded({kMaxSequence, {}})).error().code == Code::BAD_TOKEN);
  }

  void the_proof_is_about_key_binding_tokens_and_number() {
    const Bytes key(32, std::byte{1}), other_key(32, std::byte{2});
    const SwitchFacts facts{digest_filled(3), digest_filled(4)};
    const Digest proof = *switch_proof(key, facts, 5);
    CPPUNIT_ASSERT(proof == *switch_proof(key, facts, 5));
    CPPUNIT_ASSERT(proof != *switch_proof(other_key, facts, 5));
    CPPUNIT_ASSERT(proof != *switch_proof(key, {digest_filled(9), facts.transcript}, 5));
    CPPUNIT_ASSERT(proof != *switch_proof(key, {facts.binding, digest_filled(9)}, 5));
    CPPUNIT_ASSERT(proof != *switch_proof(key, facts, 6));
  }

  void the_first_octet_tells_what_a_token_is() {
    for (int octet = 0; octet < 256; ++octet) {
      const Bytes token(1, static_cast<std::byte>(octet));
      const Kind wanted = octet == 0x14 ? Kind::offer : octet == 0x11 || octet == 0x12 ? Kind::channel : Kind::kerberos;
      CPPUNIT_ASSERT(kind_of(token) == wanted);
    }
    CPPUNIT_ASSERT(kind_of({}) == Kind::kerberos);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SwitchTest);

}  // namespace
}  // namespace gssipsec::mech
