// SPDX-License-Identifier: MIT
// Whole contexts, from credentials to their end, once in each way: what must be so in whatever program the plugin is loaded into. Runs in
// the usual one, in one at a fixed address, in one that has libgssapi only by what it loads, and under valgrind.
#include <cppunit/extensions/HelperMacros.h>

#include "tests/glue/kerberos_support.h"

namespace gssipsec::tests {
namespace {

class HostsTest : public KerberosFixture {
  CPPUNIT_TEST_SUITE(HostsTest);
  CPPUNIT_TEST(a_context_of_ipsec_lives_to_its_end);
  CPPUNIT_TEST(through_spnego_too);
  CPPUNIT_TEST(kerberos_over_the_channel_lives_to_its_end);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_context_of_ipsec_lives_to_its_end() {
    Pair pair;
    carries(pair);
    for (End* end : {&pair.initiator, &pair.acceptor}) leaves_and_comes_back(*end);
    exchange(pair.initiator, pair.acceptor, 0);
    OM_uint32 minor;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_delete_sec_context(&minor, &pair.initiator.context, GSS_C_NO_BUFFER));
  }

  void through_spnego_too() {
    Pair pair(support::Krb5Ticket::kService);
    through_spnego(pair);
    gss_OID_set_desc ipsec{1, mech()};
    OM_uint32 minor;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_set_neg_mechs(&minor, pair.initiator.credential.get(), &ipsec));
    carries(pair);
  }

  void kerberos_over_the_channel_lives_to_its_end() {
    KerberosPair pair;
    switch_both(pair);
    for (int i = 0; i < 2; ++i) {
      CPPUNIT_ASSERT_EQUAL(kByChannel, pass(pair.initiator, pair.acceptor));
      CPPUNIT_ASSERT_EQUAL(kByChannel, pass(pair.acceptor, pair.initiator));
    }
    signs(pair.acceptor, pair.initiator);
    goes_in_pieces(pair.initiator, pair.acceptor);
    CPPUNIT_ASSERT_EQUAL(std::string("user@EXAMPLE.ORG"), pair.acceptor.source.text());
  }

 private:
  static void carries(Pair& pair) {
    pair.must_shake();
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:fqdn:client.example.org"), pair.acceptor.source.text());
    for (const auto& [from, to] : {std::pair{&pair.initiator, &pair.acceptor}, {&pair.acceptor, &pair.initiator}}) {
      for (const gss_qop_t qop : {0u, 1u}) exchange(*from, *to, qop);
      signs(*from, *to);
      goes_in_pieces(*from, *to);
    }
    CPPUNIT_ASSERT_EQUAL(random_of(pair.initiator), random_of(pair.acceptor));
  }

  static void exchange(End& from, End& to, gss_qop_t qop) {
    std::string token, text;
    gss_qop_t came = 9;
    must(from.wrap("attack at dawn", token, 1, qop));
    must(to.unwrap(token, text, nullptr, &came));
    CPPUNIT_ASSERT(text == "attack at dawn" && came == qop);
    CPPUNIT_ASSERT_EQUAL(qop == 0, token.ends_with("attack at dawn"));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_DUPLICATE_TOKEN}, to.unwrap(token, text).major);
  }

  static void signs(End& from, End& to) {
    std::string mic;
    must(from.mic("attack at dawn", mic));
    must(to.verify("attack at dawn", mic));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_BAD_MIC}, GSS_ROUTINE_ERROR(to.verify("retreat", mic).major));
  }

  static void goes_in_pieces(End& from, End& to) {
    std::string message = "attack at dawn", whole;
    gss_iov_buffer_desc iov[2] = {{GSS_IOV_BUFFER_TYPE_HEADER | GSS_IOV_BUFFER_FLAG_ALLOCATE, {0, nullptr}}, {GSS_IOV_BUFFER_TYPE_DATA, in(message)}};
    OM_uint32 minor;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_wrap_iov(&minor, from.context, 1, 0, nullptr, iov, 2));
    for (const gss_iov_buffer_desc& part : iov) whole.append(static_cast<const char*>(part.buffer.value), part.buffer.length);
    gss_release_iov_buffer(&minor, iov, 2);
    must(to.unwrap(whole, message));
    CPPUNIT_ASSERT_EQUAL(std::string("attack at dawn"), message);
  }

  static std::string random_of(End& end) {
    std::string seed = "seed";
    gss_buffer_desc input = in(seed);
    Buffer out;
    OM_uint32 minor;
    must({gss_pseudo_random(&minor, end.context, GSS_C_PRF_KEY_FULL, &input, 40, &out), minor});
    return out.str();
  }

  static void leaves_and_comes_back(End& end) {
    Buffer token;
    OM_uint32 minor;
    must({gss_export_sec_context(&minor, &end.context, &token), minor});
    must({gss_import_sec_context(&minor, &token, &end.context), minor});
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(HostsTest);

}  // namespace
}  // namespace gssipsec::tests
