// SPDX-License-Identifier: MIT
// A broker that takes connections and never answers: everything goes on as if neither mechanism nor interposer were there, after two
// seconds at the most. Silent from the start, or once it has said what the administrator wants of the program.
#include <time.h>

#include <functional>

#include "tests/glue/kerberos_support.h"

namespace gssipsec::tests {
namespace {

using protocol::KerberosUse;
using protocol::Verb;

double monotonic() {
  timespec at{};
  clock_gettime(CLOCK_MONOTONIC, &at);
  return static_cast<double>(at.tv_sec) + static_cast<double>(at.tv_nsec) / 1e9;
}

class SilentBrokerTest : public KerberosFixture {
  CPPUNIT_TEST_SUITE(SilentBrokerTest);
  CPPUNIT_TEST(default_credentials_are_kerberos);
  CPPUNIT_TEST(a_kerberos_context_is_kerberos_alone);
  CPPUNIT_TEST(spnego_takes_kerberos);
  CPPUNIT_TEST(without_a_ticket_the_error_is_kerberos);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    KerberosFixture::setUp();
    twin_.reset();
  }

  void default_credentials_are_kerberos() {
    with_each([](int fd) {
      for (const gss_cred_usage_t usage : {GSS_C_INITIATE, GSS_C_ACCEPT, GSS_C_BOTH}) {
        KerberosCredential credential;
        must(credential.acquire(usage, {}, GSS_C_NO_NAME, true));
        OM_uint32 minor;
        gss_OID_set mechs = GSS_C_NO_OID_SET;
        CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_inquire_cred(&minor, credential.cred, nullptr, nullptr, nullptr, &mechs));
        int kerberos = 0, ipsec = 0;
        gss_test_oid_set_member(&minor, gss_mech_krb5, mechs, &kerberos);
        gss_test_oid_set_member(&minor, mech(), mechs, &ipsec);
        gss_release_oid_set(&minor, &mechs);
        CPPUNIT_ASSERT_MESSAGE("socket " + std::to_string(fd), kerberos && !ipsec);
      }
    });
  }

  void a_kerberos_context_is_kerberos_alone() {
    with_each([](int) { must_be_kerberos(gss_mech_krb5); });
  }

  void spnego_takes_kerberos() {
    with_each([](int) { must_be_kerberos(spnego_mech()); });
  }

  void without_a_ticket_the_error_is_kerberos() {
    setenv("KRB5CCNAME", "FILE:/nonexistent", 1);
    with_each([](int) {
      KerberosPair pair;
      const Status status = pair.shake();
      CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_NO_CRED}, GSS_ROUTINE_ERROR(status.major));
      KerberosCredential credential;
      CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_NO_CRED}, GSS_ROUTINE_ERROR(credential.acquire().major));
    });
  }

 private:
  static void must_be_kerberos(gss_OID mechanism) {
    KerberosPair pair;
    pair.initiator.mechanism = mechanism;
    pair.must_shake();
    CPPUNIT_ASSERT_EQUAL(std::string("user@EXAMPLE.ORG"), pair.acceptor.source.text());
    for (int i = 0; i < 2; ++i) {
      CPPUNIT_ASSERT_EQUAL(kByKerberos, pass(pair.acceptor, pair.initiator));
      CPPUNIT_ASSERT_EQUAL(kByKerberos, pass(pair.initiator, pair.acceptor));
    }
  }

  // However many calls it is. That it waits at all shows that the broker was asked.
  static void with_each(const std::function<void(int fd)>& body) {
    for (const bool greets : {false, true}) {
      FakeBroker::Options options;
      options.handler = [](FakeBroker&, FakeRequest&) {};
      if (!greets) options.hello = options.handler;
      FakeBroker silent(std::move(options));
      silent.say({.kerberos = KerberosUse::skip, .without_ticket = true});
      const Connection connection;
      name_socket(connection.client.get());
      const double begun = monotonic();
      body(connection.client.get());
      const double took = monotonic() - begun;
      name_socket(-1);
      CPPUNIT_ASSERT_MESSAGE(std::to_string(took) + " s", took > 1.5 && took < 3);
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SilentBrokerTest);

}  // namespace
}  // namespace gssipsec::tests
