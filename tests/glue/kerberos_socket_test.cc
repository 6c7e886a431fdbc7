// SPDX-License-Identifier: MIT
// Which socket a Kerberos context is bound to: the one that its credential names, and no other; and that a program which the
// administrator has no line for is not kept up by the question.
#include <cppunit/extensions/HelperMacros.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/glue/kerberos_support.h"

namespace gssipsec::tests {
namespace {

using base::Code;
using protocol::KerberosUse;
using protocol::Verb;

GssCredential::Store naming(const base::UniqueFd& socket) { return {{"ipsec-socket", std::to_string(socket.get())}}; }

class KerberosSocketTest : public KerberosFixture {
  CPPUNIT_TEST_SUITE(KerberosSocketTest);
  CPPUNIT_TEST(a_credential_names_the_socket);
  CPPUNIT_TEST(so_does_one_that_spnego_holds);
  CPPUNIT_TEST(an_option_names_it_later);
  CPPUNIT_TEST(the_credentials_socket_counts_before_the_threads);
  CPPUNIT_TEST(a_named_socket_that_is_gone_is_no_reason_to_look_for_another);
  CPPUNIT_TEST(a_socket_may_be_connected_after_it_was_named);
  CPPUNIT_TEST(what_is_no_descriptor_is_refused);
  CPPUNIT_TEST(a_credential_with_a_socket_is_kerberos_in_all_else);
  CPPUNIT_TEST(a_program_that_is_off_asks_nothing);
  CPPUNIT_TEST(the_administrators_word_counts_when_he_changes_it);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_credential_names_the_socket() {
    Connection other;
    KerberosPair pair;
    acquire_naming(pair);
    pair.must_shake();
    must_switch(pair);
    // Certain: a man in the middle is an error.
    twin_->knobs.man_in_the_middle = true;
    KerberosPair middle;
    acquire_naming(middle);
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_BAD_BINDINGS}, middle.shake().major);
  }

  void so_does_one_that_spnego_holds() {
    gss_OID_desc spnego = {6, const_cast<char*>("\x2b\x06\x01\x05\x05\x02")};
    gss_OID_set_desc mechs{1, &spnego}, kerberos_alone{1, gss_mech_krb5};
    KerberosPair pair;
    pair.names_sockets = false;
    pair.initiator.mechanism = &spnego;
    const std::string number = std::to_string(pair.connection.client.get());
    gss_key_value_element_desc element{"ipsec-socket", number.c_str()};
    const gss_key_value_set_desc store{1, &element};
    OM_uint32 minor;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_acquire_cred_from(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechs, GSS_C_INITIATE, &store,
                                                             &pair.initiator.kerberos.cred, nullptr, nullptr));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_set_neg_mechs(&minor, pair.initiator.kerberos.cred, &kerberos_alone));
    must(pair.acceptor.kerberos.acquire(GSS_C_ACCEPT, naming(pair.connection.server)));
    std::string token;
    CPPUNIT_ASSERT(!GSS_ERROR(pair.initiator.begin(pair.target.get(), kUsualFlags, token).major));
    CPPUNIT_ASSERT_EQUAL(1, twin_->requests(Verb::bind));
  }

  void an_option_names_it_later() {
    KerberosPair pair;
    pair.names_sockets = false;
    must(pair.initiator.kerberos.acquire());
    must(pair.acceptor.kerberos.acquire(GSS_C_ACCEPT));
    for (int round = 0; round < 2; ++round) {
      set_socket(pair.initiator.kerberos, pair.connection.client);
      set_socket(pair.acceptor.kerberos, pair.connection.server);
    }
    pair.must_shake();
    must_switch(pair);
  }

  void the_credentials_socket_counts_before_the_threads() {
    Connection other;
    KerberosPair pair;
    acquire_naming(pair);
    name_socket(other.client.get());
    pair.must_shake();
    must_switch(pair);
  }

  void a_named_socket_that_is_gone_is_no_reason_to_look_for_another() {
    KerberosPair pair;
    Connection gone;
    must(pair.initiator.kerberos.acquire(GSS_C_INITIATE, naming(gone.client)));
    must(pair.acceptor.kerberos.acquire(GSS_C_ACCEPT, naming(gone.server)));
    gone.client.reset(), gone.server.reset();
    Connection reused;
    pair.must_shake();  // which names the right one for the thread
    CPPUNIT_ASSERT_EQUAL(0, twin_->requests(Verb::bind));
    CPPUNIT_ASSERT_EQUAL(kByKerberos, pass(pair.acceptor, pair.initiator));
  }

  void a_socket_may_be_connected_after_it_was_named() {
    base::UniqueFd early(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    KerberosPair pair;
    pair.names_sockets = false;
    must(pair.initiator.kerberos.acquire(GSS_C_INITIATE, naming(early)));
    sockaddr_storage there{};
    socklen_t size = sizeof there;
    const base::UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    CPPUNIT_ASSERT_EQUAL(0, listen(listener.get(), 1));
    CPPUNIT_ASSERT_EQUAL(0, getsockname(listener.get(), reinterpret_cast<sockaddr*>(&there), &size));
    CPPUNIT_ASSERT_EQUAL(0, connect(early.get(), reinterpret_cast<sockaddr*>(&there), size));
    std::string token;
    CPPUNIT_ASSERT(!GSS_ERROR(pair.initiator.begin(pair.target.get(), kUsualFlags, token).major));
    CPPUNIT_ASSERT_EQUAL(1, twin_->requests(Verb::bind));
  }

  void what_is_no_descriptor_is_refused() {
    KerberosCredential credential;
    for (const char* value : {"", "x", "-1", "07", "99999999999"}) {
      const Status status = credential.acquire(GSS_C_INITIATE, {{"ipsec-socket", value}});
      CPPUNIT_ASSERT_EQUAL_MESSAGE(value, OM_uint32{GSS_S_FAILURE}, status.major);
      CPPUNIT_ASSERT_EQUAL(minor_here(Code::BAD_ARGUMENT), status.minor);
    }
    CPPUNIT_ASSERT(credential.cred == GSS_C_NO_CREDENTIAL);
    must(credential.acquire());
    OM_uint32 minor;
    std::string broken = "x";
    gss_buffer_desc value = in(broken);
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_FAILURE}, gss_set_cred_option(&minor, &credential.cred, project_oid(5), &value));
  }

  void a_credential_with_a_socket_is_kerberos_in_all_else() {
    KerberosPair pair;
    acquire_naming(pair);
    OM_uint32 minor, lifetime = 0;
    GssName own;
    gss_cred_usage_t usage = GSS_C_BOTH;
    const gss_cred_id_t cred = pair.initiator.kerberos.cred;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_inquire_cred(&minor, cred, own.out(), &lifetime, &usage, nullptr));
    CPPUNIT_ASSERT_EQUAL(std::string("user@EXAMPLE.ORG"), own.text());
    CPPUNIT_ASSERT(lifetime > 0 && usage == GSS_C_INITIATE);
    Buffer token;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_export_cred(&minor, cred, &token));
    KerberosCredential copy;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_import_cred(&minor, &token, &copy.cred));
    std::swap(copy.cred, pair.initiator.kerberos.cred);
    pair.must_shake();
    const std::string cache = ticket_->ccache() + ".copy";
    gss_key_value_element_desc element{"ccache", cache.c_str()};
    const gss_key_value_set_desc store{1, &element};
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_store_cred_into(&minor, copy.cred, GSS_C_INITIATE, gss_mech_krb5, 1, 0, &store, nullptr, nullptr));
    CPPUNIT_ASSERT_EQUAL(0, unlink(cache.c_str() + sizeof "FILE:" - 1));
  }

  void a_program_that_is_off_asks_nothing() {
    twin_->fake().say({});
    for (int i = 0; i < 2; ++i) must_be_kerberos_alone();
    CPPUNIT_ASSERT_EQUAL(0, twin_->requests(Verb::bind));
    CPPUNIT_ASSERT_EQUAL(1, twin_->fake().connections());
    // What the broker said before it fell silent does not count.
    twin_->stop_heart();
    must_be_kerberos_alone();
    CPPUNIT_ASSERT_EQUAL(2, twin_->requests(Verb::bind));
  }

  void the_administrators_word_counts_when_he_changes_it() {
    twin_->fake().say({});
    must_be_kerberos_alone();
    twin_->fake().say({.kerberos = KerberosUse::skip});
    KerberosPair pair;
    pair.must_shake();
    must_switch(pair);
  }

 private:
  // Nothing else shows which connection it is.
  static void acquire_naming(KerberosPair& pair) {
    pair.names_sockets = false;
    must(pair.initiator.kerberos.acquire(GSS_C_INITIATE, naming(pair.connection.client)));
    must(pair.acceptor.kerberos.acquire(GSS_C_ACCEPT, naming(pair.connection.server)));
  }
  static void set_socket(KerberosCredential& credential, const base::UniqueFd& socket) {
    std::string number = std::to_string(socket.get());
    gss_buffer_desc value = in(number);
    OM_uint32 minor;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_set_cred_option(&minor, &credential.cred, project_oid(5), &value));
  }
  static void must_switch(KerberosPair& pair) {
    CPPUNIT_ASSERT_EQUAL(kWithSwitch, pass(pair.acceptor, pair.initiator));
    CPPUNIT_ASSERT_EQUAL(kByChannel, pass(pair.initiator, pair.acceptor));
  }
  static void must_be_kerberos_alone() {
    KerberosPair pair;
    pair.must_shake();
    CPPUNIT_ASSERT_EQUAL(kByKerberos, pass(pair.acceptor, pair.initiator));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(KerberosSocketTest);

}  // namespace
}  // namespace gssipsec::tests
